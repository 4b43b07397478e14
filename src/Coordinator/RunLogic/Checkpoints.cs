using AdderNet.Core.Checkpoints;

namespace AdderNet.Coordinator.RunLogic;

/// <summary>Files of state: ordered from one member, looked for, recorded, and the oldest given up.</summary>
internal static class Checkpoints
{
    public const string FinalFile = "final.safetensors";

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
        turn.State = turn.State with { Phase = new Checkpointing(writer, kind, file, null) };
        turn.Because($"{writer} writes {file}");
        turn.Send(turn.State.Members[writer], step, new WriteCheckpointOrder(file, kind == CheckpointKind.Final));
    }

    public static void Written(Turn turn, MemberState member, CheckpointWritten written)
    {
        var step = turn.State.Committed.Step;
        if (turn.State.Phase is not Checkpointing phase || phase.Writer != member.WorkerId || written.Step != step)
        {
            turn.Note(NoteKind.StaleMessage, $"{member.WorkerId} wrote a checkpoint of step {written.Step} that nobody waits for");
            return;
        }

        var announced = new CheckpointRecord(
            step, phase.Kind, phase.File, written.Sha256, written.Bytes, written.WeightsHash, turn.State.Committed.Hash);
        turn.State = turn.State with { Phase = phase with { Announced = announced } };
        turn.Do(new VerifyCheckpoint(turn.Generation.Number, step, phase.File, written.Bytes));
    }

    public static void Verified(Turn turn, CheckpointVerified verified)
    {
        if (turn.State.Phase is not Checkpointing { Announced: { } announced } phase
            || verified.Generation != turn.Generation.Number || verified.Step != announced.Step || verified.File != announced.File)
            return;
        if (verified.Problem is { } problem)
        {
            Fail(turn, phase, $"{phase.Writer} announced {phase.File}, but {problem}");
            return;
        }

        var others = turn.State.Checkpoints.RemoveAll(c => c.Kind == announced.Kind && (c.Kind != CheckpointKind.Periodic || c.Step == announced.Step));
        turn.State = turn.State with { Checkpoints = others.Add(announced) };
        turn.Do(new RecordCheckpoint(announced));
        if (announced.Kind == CheckpointKind.Periodic)
            turn.RecordProgress(RunCondition.Checkpointing);
        GiveUpOldest(turn);
        Boundary.Next(turn);
    }

    /// <summary>A periodic or best checkpoint that fails is a warning; the last one, or the one that a stop waits for, ends the run.</summary>
    public static void Fail(Turn turn, Checkpointing phase, string why)
    {
        var step = turn.State.Committed.Step;
        var isLast = step >= turn.Plan.TotalSteps(turn.Facts) || turn.State.Wish == Wish.Stop;
        if (phase.Kind == CheckpointKind.Final || (phase.Kind == CheckpointKind.Periodic && isLast))
        {
            Endings.Fail(turn, $"the last checkpoint could not be written: {why}");
            return;
        }

        turn.Note(NoteKind.Warning, $"no checkpoint at step {step}, training goes on: {why}");
        turn.State = turn.State with { FailedCheckpoints = turn.State.FailedCheckpoints.SetItem(phase.Kind, step) };
        Boundary.Next(turn);
    }

    private static void GiveUpOldest(Turn turn)
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
