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
            Fail(turn, order, $"{turn.State.Writing.Length} files are being written already");
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
    }

    public static void Failed(MemberTurn turn, FileFailed failed)
    {
        turn.State = turn.State with { Writing = turn.State.Writing.Remove(failed.Order) };
        Fail(turn, failed.Order, failed.Why);
    }

    private static void Fail(MemberTurn turn, CheckpointOrder order, string why)
    {
        turn.Note(NoteKind.Warning, $"{order.File} of step {order.Step} was not written: {why}");
        turn.Tell(order.Step, new FileFailedReport(order.File, why));
    }
}
