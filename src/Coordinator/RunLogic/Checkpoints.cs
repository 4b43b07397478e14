using System.Collections.Immutable;
using AdderNet.Core.Checkpoints;

namespace AdderNet.Coordinator.RunLogic;

/// <summary>
/// Files of state: ordered from one member, which copies its state at the boundary and writes it while training goes on;
/// announced by it, looked for, recorded, and the oldest given up.
/// </summary>
internal static class Checkpoints
{
    public const string FinalFile = "final.safetensors";

    /// <summary>So many files are written at a time; one more waits at its boundary for the first.</summary>
    public const int MostAtOnce = 2;

    /// <summary>A file that was not announced after so long is given up.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary>Orders a file of the committed state. The run goes on at once, or waits at the boundary if the file must be there first.</summary>
    public static void Order(Turn turn, CheckpointKind kind)
    {
        var step = turn.State.Committed.Step;
        var writer = turn.Generation.Members.First(m => m.Range.Count > 0).WorkerId;
        var file = kind switch
        {
            CheckpointKind.Final => FinalFile,
            CheckpointKind.Best => CheckpointDirectory.BestFile,
            _ => CheckpointDirectory.StepFile(step),
        };
        var order = new FileOrder(writer, kind, step, file, turn.State.Committed.Hash, turn.Now, null);
        turn.State = turn.State with { Writing = turn.State.Writing.Add(order), OwesCheckpoint = turn.State.OwesCheckpoint && kind != CheckpointKind.Periodic };
        turn.Send(turn.State.Members[writer], step, new WriteCheckpointOrder(file, kind == CheckpointKind.Final));
        Boundary.Next(turn);
    }

    /// <summary>Stays at the boundary until a file that is being written is there.</summary>
    public static void Await(Turn turn)
    {
        var first = turn.State.Writing[0];
        turn.State = turn.State with { Phase = new Checkpointing() };
        turn.Because($"{first.Writer} writes {first.File}");
    }

    public static void Written(Turn turn, MemberState member, CheckpointWritten written)
    {
        if (Find(turn, member, written.Step, written.File) is not { } order)
        {
            turn.Note(NoteKind.StaleMessage, $"{member.WorkerId} wrote {written.File} of step {written.Step}, which nobody waits for");
            return;
        }

        var announced = new CheckpointRecord(
            order.Step, order.Kind, order.File, written.Sha256, written.Bytes, written.WeightsHash, order.VotedHash);
        Replace(turn, order, order with { Announced = announced });
        turn.State = turn.State with { FileCost = turn.State.FileCost.Plus(written.StallSeconds) };
        turn.Do(new VerifyCheckpoint(order.Step, order.File, written.Bytes, written.Sha256));
    }

    public static void NotWritten(Turn turn, MemberState member, FileFailed failed)
    {
        if (turn.State.Writing.FirstOrDefault(w => w.Writer == member.WorkerId && w.Step == failed.Step && w.File == failed.File) is { } order)
            Fail(turn, order, $"{member.WorkerId} could not write {order.File}: {failed.Why}");
        else
            turn.Note(NoteKind.StaleMessage, $"{member.WorkerId} could not write {failed.File} of step {failed.Step}, which nobody waits for");
    }

    /// <summary>A member could not load a recorded checkpoint: it may have rotted since it was verified.</summary>
    public static void Doubt(Turn turn, string file)
    {
        if (turn.State.Checkpoints.FirstOrDefault(c => c.Kind == CheckpointKind.Periodic && c.File == file) is not { } record)
            return;
        turn.State = turn.State with { Doubted = record };
        turn.Do(new VerifyCheckpoint(record.Step, record.File, record.Bytes, record.Sha256));
    }

    public static void Verified(Turn turn, CheckpointVerified verified)
    {
        if (turn.State.Doubted is { } doubted && doubted.File == verified.File)
        {
            Settle(turn, doubted, verified.Problem);
            return;
        }

        if (turn.State.Writing.FirstOrDefault(w => w.Announced is not null && w.Step == verified.Step && w.File == verified.File) is not { } order)
            return;
        if (verified.Problem is { } problem)
        {
            Fail(turn, order, $"{order.Writer} announced {order.File}, but {problem}");
            return;
        }

        var announced = order.Announced!;
        Replace(turn, order, null);
        var others = turn.State.Checkpoints.RemoveAll(c => c.Kind == announced.Kind && (c.Kind != CheckpointKind.Periodic || c.Step == announced.Step));
        turn.State = turn.State with { Checkpoints = [.. others.Add(announced).OrderBy(c => c.Step)] };
        turn.Do(new RecordCheckpoint(announced));
        if (announced.Kind == CheckpointKind.Periodic)
            turn.RecordProgress(RunOverview.Condition(turn.State));
        GiveUpOldest(turn);
        Resume(turn);
    }

    /// <summary>A checkpoint that is damaged is passed over for the one before it, as when a run is taken up.</summary>
    private static void Settle(Turn turn, CheckpointRecord doubted, string? problem)
    {
        turn.State = turn.State with { Doubted = null };
        if (problem is not null)
        {
            turn.Note(NoteKind.Warning, $"checkpoint passed over: {problem}");
            turn.State = turn.State with { Checkpoints = turn.State.Checkpoints.Remove(doubted) };
        }

        Generations.TryPropose(turn);
    }

    /// <summary>What a lost member was writing is lost with it: a periodic checkpoint is made up for at the next boundary.</summary>
    public static void WriterLost(Turn turn, string worker)
    {
        var lost = turn.State.Writing.Where(w => w.Writer == worker && w.Announced is null).ToArray();
        if (lost.Length == 0)
            return;
        turn.State = turn.State with
        {
            Writing = turn.State.Writing.RemoveAll(w => lost.Contains(w)),
            OwesCheckpoint = turn.State.OwesCheckpoint || lost.Any(w => w.Kind == CheckpointKind.Periodic),
        };
    }

    /// <summary>
    /// An order that its writer had not begun to follow when a new generation was announced is void. A file that is being
    /// written all the same is announced, and taken as one that was ordered before.
    /// </summary>
    public static void OrdersLost(Turn turn)
    {
        foreach (var writer in turn.State.Writing.Select(w => w.Writer).Distinct(StringComparer.Ordinal).ToArray())
            WriterLost(turn, writer);
    }

    /// <summary>Gives up files that take too long.</summary>
    public static void Expire(Turn turn)
    {
        if (turn.State.Writing.FirstOrDefault(w => w.Announced is null && turn.Now - w.OrderedAt >= Patience) is { } late)
            Fail(turn, late, $"{late.Writer} has not written {late.File} within {Patience.TotalMinutes:0} min");
    }

    /// <summary>A periodic or best checkpoint that fails is a warning; the last one, or the one that a stop waits for, ends the run.</summary>
    private static void Fail(Turn turn, FileOrder order, string why)
    {
        Replace(turn, order, null);
        var isLast = order.Step >= turn.Plan.TotalSteps(turn.Facts) || (turn.State.Wish == Wish.Stop && order.Step == turn.State.Committed.Step);
        if (order.Kind == CheckpointKind.Final || (order.Kind == CheckpointKind.Periodic && isLast))
        {
            Endings.Fail(turn, $"the last checkpoint could not be written: {why}");
            return;
        }

        turn.Note(NoteKind.Warning, $"no checkpoint at step {order.Step}, training goes on: {why}");
        turn.State = turn.State with { FailedCheckpoints = turn.State.FailedCheckpoints.SetItem(order.Kind, order.Step) };
        Resume(turn);
    }

    /// <summary>
    /// The order that an announcement answers. A checkpoint that was ordered by the coordinator before this one counts too:
    /// it holds a committed step, and it must not lie there for ever, recorded by nobody.
    /// </summary>
    private static FileOrder? Find(Turn turn, MemberState member, long step, string file)
    {
        var state = turn.State;
        if (state.Writing.FirstOrDefault(w => w.Writer == member.WorkerId && w.Step == step && w.File == file) is { } order)
            return order;
        var isInherited = step > 0 && step <= state.Committed.Step && file == CheckpointDirectory.StepFile(step)
            && !state.Writing.Any(w => w.File == file) && !state.Checkpoints.Any(c => c.File == file);
        if (!isInherited)
            return null;
        order = new FileOrder(member.WorkerId, CheckpointKind.Periodic, step, file, step == state.Committed.Step ? state.Committed.Hash : 0, turn.Now, null);
        turn.State = state with { Writing = state.Writing.Add(order) };
        return order;
    }

    private static void Replace(Turn turn, FileOrder order, FileOrder? with) => turn.State = turn.State with
    {
        Writing = with is null ? turn.State.Writing.Remove(order) : turn.State.Writing.Replace(order, with),
    };

    private static void Resume(Turn turn)
    {
        if (turn.State.Phase is Checkpointing)
            Boundary.Next(turn);
    }

    /// <summary>Deletes what <c>checkpoint.keep</c> no longer covers.</summary>
    public static void GiveUpOldest(Turn turn)
    {
        var keep = Math.Max(1, turn.Plan.Description.Checkpoint.Keep);
        var periodic = turn.State.Checkpoints.Where(c => c.Kind == CheckpointKind.Periodic).OrderBy(c => c.Step).ToArray();
        foreach (var old in periodic.SkipLast(keep))
        {
            turn.State = turn.State with { Checkpoints = turn.State.Checkpoints.Remove(old) };
            turn.Do(new DeleteCheckpoint(old));
        }
    }
}
