namespace AdderNet.Worker.Membership;

/// <summary>Files of state: copied at the boundary, written while training goes on, announced when they are on disk.</summary>
internal static class Files
{
    public static void Order(MemberTurn turn, CheckpointOrder order)
    {
        if (turn.State.Writing.Any(w => w.Step == order.Step && w.File == order.File))
        {
            Orders.Ignore(turn, order, "it is being written already");
            return;
        }

        if (turn.State.Writing.Length >= MemberMachine.MostFiles)
        {
            Orders.Hold(turn, order, $"{turn.State.Writing.Length} files are being written already");
            return;
        }

        turn.Because($"{order.File} is written");
        turn.State = turn.State with { Writing = turn.State.Writing.Add(order) };
        turn.Do(new WriteFile(order));
    }

    public static void Written(MemberTurn turn, FileWritten written)
    {
        turn.Because($"{written.Order.File} is on disk");
        turn.State = turn.State with { Writing = turn.State.Writing.Remove(written.Order) };
        turn.Tell(written.Order.Step, new CheckpointReport(written.Order.File, written.File));
        Orders.Resume(turn);
    }

    public static void Failed(MemberTurn turn, FileFailed failed)
    {
        turn.State = turn.State with { Writing = turn.State.Writing.Remove(failed.Order) };
        turn.Note(NoteKind.Warning, $"{failed.Order.File} of step {failed.Order.Step} was not written: {failed.Why}");
        turn.Tell(failed.Order.Step, new FileFailedReport(failed.Order.File, failed.Why));
        Orders.Resume(turn);
    }

    /// <summary>A file of this boundary waits until another one is written: the replica stays where it is until then.</summary>
    public static bool AwaitsRoom(MemberState state) =>
        state.Writing.Length >= MemberMachine.MostFiles && state.InPosition
        && state.Early.Any(o => o is CheckpointOrder && o.Generation == state.Generation && o.Step == state.AppliedStep);
}
