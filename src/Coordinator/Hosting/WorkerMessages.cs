using AdderNet.Coordinator.RunLogic;
using AdderNet.Protos.V1;
using MemberReport = AdderNet.Coordinator.RunLogic.MemberReport;
using Outcome = AdderNet.Coordinator.RunLogic.StepOutcome;

namespace AdderNet.Coordinator.Hosting;

/// <summary>Messages of workers as events of the run logic.</summary>
internal static class WorkerMessages
{
    /// <summary>What a Hello says; null with a reason when it says too little.</summary>
    public static (WorkerInfo? Info, string Problem) Hello(Hello hello)
    {
        if (hello.WorkerId.Length == 0)
            return (null, "worker_id is empty: a worker names itself, for example worker-1-4711");
        if (!Uri.TryCreate(hello.Address, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            return (null, $"address '{hello.Address}' is no URL at which other workers reach this one, for example http://10.0.0.7:7401");
        return (new WorkerInfo(
            hello.Build, hello.NumericsVersion, hello.Engine, hello.ProbeHash, hello.Address, (int)hello.Threads, hello.Host, hello.ProcessId), "");
    }

    /// <summary>The event of a message after Hello; null for a kind that this build does not know.</summary>
    public static RunEvent? Event(string workerId, long session, WorkerMessage message)
    {
        var generation = (long)message.Generation;
        var step = (long)message.Step;
        return message.BodyCase switch
        {
            WorkerMessage.BodyOneofCase.Prepared => Prepared(workerId, session, message.Prepared),
            WorkerMessage.BodyOneofCase.Heartbeat => new MemberBeat(workerId, session, (long)message.Heartbeat.Progress, message.Heartbeat.Waiting)
            {
                Silent = [.. message.Heartbeat.Silent],
            },
            WorkerMessage.BodyOneofCase.InPosition => new MemberInPosition(workerId, session, generation, step, message.InPosition.StateHash),
            WorkerMessage.BodyOneofCase.Vote => new MemberVoted(workerId, session, generation, step, Ballot(message.Vote)),
            WorkerMessage.BodyOneofCase.Evaluation => new EvaluationAnswered(
                workerId, session, generation, step,
                [.. message.Evaluation.Blocks.Select(b => new EvaluationBlockSums((int)b.Index, (long)b.Samples, (long)b.Top1, (long)b.Top5, b.LossSum))]),
            WorkerMessage.BodyOneofCase.Checkpoint => new RunLogic.CheckpointWritten(
                workerId, session, step, message.Checkpoint.File, message.Checkpoint.Sha256, (long)message.Checkpoint.Bytes,
                message.Checkpoint.WeightsHash, message.Checkpoint.StallSeconds),
            WorkerMessage.BodyOneofCase.FileFailed => new RunLogic.FileFailed(
                workerId, session, step, message.FileFailed.File, OneLine(message.FileFailed.Reason)),
            WorkerMessage.BodyOneofCase.Follow => new MemberFollows(workerId, session, generation, step, message.Follow.Hash),
            WorkerMessage.BodyOneofCase.PhaseFailed => new RunLogic.PhaseFailed(
                workerId, session, generation, step, message.PhaseFailed.Phase, OneLine(message.PhaseFailed.Reason), message.PhaseFailed.Peer),
            WorkerMessage.BodyOneofCase.Leave => message.Leave.Asks
                ? new MemberLeaves(workerId, session, OneLine(message.Leave.Reason))
                : new MemberLeft(workerId, session, OneLine(message.Leave.Reason)),
            _ => null,
        };
    }

    private static MemberPrepared Prepared(string workerId, long session, Prepared prepared) => new(
        workerId, session, prepared.RunIdentity, prepared.DataManifestHash,
        prepared.Report is { } report
            ? new MemberReport(
                (long)report.AppliedStep, report.AppliedHash, report.AppliedOutcome is { } o ? Outcome(o) : null, report.StateHash,
                (long)report.PendingStep, report.PendingHash)
            : MemberReport.Fresh,
        prepared.TrainSamples, prepared.TestSamples, [.. prepared.LayerNames])
    {
        PictureProbeHash = prepared.PictureProbeHash,
        ReachToken = prepared.ReachToken,
        Totals = prepared.Totals is { } totals
            ? new WorkerTotals((long)totals.Steps, (long)totals.Shards, (long)totals.GradientBytesSent)
            : WorkerTotals.None,
    };

    private static Ballot Ballot(Vote vote) => new(
        vote.Hash, Outcome(vote.Outcome ?? new Protos.V1.StepOutcome()), (int)vote.ShardsComputed, (long)vote.GradientBytesSent,
        vote.ComputeSeconds, vote.ExchangeSeconds, vote.DataWaitSeconds);

    private static Outcome Outcome(Protos.V1.StepOutcome o) =>
        new(o.Loss, (long)o.Samples, (long)o.Correct, o.LearningRate, (long)o.FirstNonFinite);

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");
}
