using System.Collections.Immutable;
using AdderNet.Core.Sharding;

namespace AdderNet.Coordinator.RunLogic;

/// <summary>The test set, in fixed blocks split over the members, combined in block order so that the split does not matter.</summary>
internal static class Evaluations
{
    public static void Start(Turn turn)
    {
        var members = turn.Generation.Voters.ToArray();
        var blocks = turn.Plan.EvaluationBlocks(turn.Facts);
        var parts = ImmutableSortedDictionary.CreateBuilder<string, ShardRange>(StringComparer.Ordinal);
        for (var i = 0; i < members.Length; i++)
            parts[members[i].WorkerId] = new ShardRange((int)((long)blocks * i / members.Length), (int)((long)blocks * (i + 1) / members.Length));

        turn.State = turn.State with { Phase = new Evaluating(parts.ToImmutable(), ImmutableSortedDictionary<int, EvaluationBlockSums>.Empty) };
        turn.Because($"evaluating after step {turn.State.Committed.Step}");
        foreach (var (worker, part) in parts)
        {
            if (part.Count > 0 && turn.State.Members.TryGetValue(worker, out var member))
                turn.Send(member, turn.State.Committed.Step, new EvaluateOrder(turn.Plan.EvaluationBlockSize, part));
        }
    }

    public static void Answer(Turn turn, MemberState member, EvaluationAnswered answered)
    {
        if (turn.State.Phase is not Evaluating evaluating || answered.Step != turn.State.Committed.Step)
        {
            turn.Note(NoteKind.StaleMessage, $"{member.WorkerId} answers an evaluation of step {answered.Step} that nobody waits for");
            return;
        }

        var part = evaluating.Parts.GetValueOrDefault(member.WorkerId);
        var expected = Enumerable.Range(part.First, part.Count);
        if (!answered.Blocks.Select(b => b.Index).Order().SequenceEqual(expected))
        {
            Retrying.Failed(turn, member, new PhaseFailed(
                member.WorkerId, member.Session, answered.Generation, answered.Step, "evaluation", $"it was asked for blocks {part} and answered others", ""));
            return;
        }

        var blocks = evaluating.Blocks.SetItems(answered.Blocks.Select(b => KeyValuePair.Create(b.Index, b)));
        turn.State = turn.State with { Phase = evaluating with { Blocks = blocks } };
        if (blocks.Count == turn.Plan.EvaluationBlocks(turn.Facts))
            Finish(turn, blocks);
    }

    private static void Finish(Turn turn, ImmutableSortedDictionary<int, EvaluationBlockSums> blocks)
    {
        var step = turn.State.Committed.Step;
        var loss = 0.0;
        foreach (var block in blocks.Values) // ascending index: the one order of this sum
            loss += block.LossSum;
        var record = new EvaluationRecord(
            step, blocks.Values.Sum(b => b.Samples), blocks.Values.Sum(b => b.Top1), blocks.Values.Sum(b => b.Top5), loss);
        turn.State = turn.State with { Evaluations = turn.State.Evaluations.Add(record) };
        turn.Do(new RecordEvaluation(record));
        turn.Do(new WriteEvaluationLine(record, turn.Plan.EpochOf(step, turn.Facts)));
        turn.RecordProgress(RunCondition.Evaluating);
        Boundary.Next(turn);
    }
}
