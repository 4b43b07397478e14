using AdderNet.Coordinator.RunLogic;
using AdderNet.Coordinator.Store;
using AdderNet.Protos.V1;

namespace AdderNet.Coordinator.Hosting;

/// <summary>A run's state as the status that people see.</summary>
internal static class StatusMessages
{
    public static RunStatus Of(RunState state)
    {
        var description = state.Plan.Description;
        var last = state.Evaluations.LastOrDefault();
        var status = new RunStatus
        {
            RunId = state.Plan.RunId,
            Name = $"{description.Model.Name} {description.Model.Method} on {description.Data.Format}".ToLowerInvariant(),
            State = StoredNames.Of(RunOverview.Condition(state)),
            Reason = state.Reason,
            Step = (ulong)state.Committed.Step,
            TotalEpochs = (uint)description.Schedule.Epochs,
            Loss = state.CommittedOutcome?.Loss ?? 0,
            LearningRate = state.CommittedOutcome?.LearningRate ?? 0,
            SamplesPerSecond = RunOverview.SamplesPerSecond(state),
            SecondsLeft = RunOverview.SecondsLeft(state),
            BestTop1 = state.Best?.Top1 ?? 0,
            LastTop1 = last?.Top1 ?? 0,
            LastTop5 = last?.Top5 ?? 0,
            LastEvaluationLoss = last?.Loss ?? 0,
            LastEvaluatedStep = (ulong)(last?.Step ?? 0),
            Generation = (ulong)(state.Generation?.Number ?? state.LastGeneration),
            Output = state.Plan.Output,
            WeightsHash = RunOverview.WeightsHash(state),
            TrainingSeconds = state.TrainingTime.TotalSeconds,
        };
        if (state.Facts is { } facts)
        {
            status.TotalSteps = (ulong)state.Plan.TotalSteps(facts);
            status.Epoch = (uint)state.Plan.EpochOf(state.Committed.Step, facts);
        }

        status.Workers.AddRange(state.Members.Values.OrderBy(m => m.Joined).Select(m => Worker(state, m)));
        return status;
    }

    public static HistoryEvent Of(HistoryEntry entry) =>
        new() { AtMs = entry.At.ToUnixTimeMilliseconds(), Kind = entry.Kind, Step = (ulong)entry.Step, Text = entry.Text };

    private static WorkerStatus Worker(RunState state, MemberState member)
    {
        var range = state.Generation?.Find(member.WorkerId)?.Range ?? default;
        var totals = state.Totals.GetValueOrDefault(member.WorkerId, WorkerTotals.None)!;
        return new WorkerStatus
        {
            WorkerId = member.WorkerId,
            Address = member.Info.Address,
            Host = member.Info.Host,
            ProcessId = (uint)member.Info.ProcessId,
            FirstShard = (uint)range.First,
            EndShard = (uint)range.End,
            ShardsComputed = (ulong)totals.ShardsComputed,
            GradientBytesSent = (ulong)totals.GradientBytesSent,
            State = RunOverview.Doing(state, member),
        };
    }
}
