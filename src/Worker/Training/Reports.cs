using AdderNet.Core.Checkpoints;
using AdderNet.Protos.V1;
using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Training;

/// <summary>What a member tells the coordinator, in its wire format.</summary>
internal static class Reports
{
    public static WorkerMessage ToWire(string runId, Tell tell, PreparedMember member)
    {
        var message = new WorkerMessage { RunId = runId, Generation = (ulong)tell.Generation, Step = (ulong)tell.Step };
        switch (tell.Report)
        {
            case PreparedReport prepared:
                message.Prepared = Prepared(prepared, member);
                break;
            case InPositionReport position:
                message.InPosition = new InPosition { StateHash = position.StateHash };
                break;
            case VoteReport vote:
                message.Vote = Vote(vote);
                break;
            case FollowReport follow:
                message.Follow = new Follow { Hash = follow.Hash };
                break;
            case EvaluationReport evaluation:
                message.Evaluation = Evaluated(evaluation);
                break;
            case CheckpointReport { Written: var file } checkpoint:
                message.Checkpoint = new CheckpointWritten
                {
                    File = checkpoint.File,
                    Path = file.Path,
                    Sha256 = file.Sha256,
                    Bytes = (ulong)file.Bytes,
                    WeightsHash = file.WeightsHash,
                    StallSeconds = file.StallSeconds,
                    WriteSeconds = file.WriteSeconds,
                };
                break;
            case FileFailedReport failed:
                message.FileFailed = new Protos.V1.FileFailed { File = failed.File, Reason = failed.Why };
                break;
            case FailedReport failed:
                message.PhaseFailed = new PhaseFailed { Phase = failed.Phase, Reason = failed.Why, Peer = failed.Peer };
                break;
            case LeaveReport leave:
                message.Leave = new Leave { Reason = leave.Why, Asks = true };
                break;
        }

        return message;
    }

    /// <summary>The worker goes.</summary>
    public static WorkerMessage Leave(string runId, string reason) => new() { RunId = runId, Leave = new Leave { Reason = reason } };

    private static Prepared Prepared(PreparedReport report, PreparedMember member)
    {
        var prepared = new Prepared
        {
            RunIdentity = member.Identity,
            DataManifestHash = member.Data.Manifest.Hash,
            PictureProbeHash = member.PictureProbeHash,
            Report = new MemberReport
            {
                AppliedStep = (ulong)report.AppliedStep,
                AppliedHash = report.AppliedHash,
                AppliedOutcome = report.AppliedFacts is { } facts ? Outcome(facts) : null,
                StateHash = StateHash.Compute(member.Replica.Layout, member.Replica.Export()),
                PendingStep = (ulong)report.PendingStep,
                PendingHash = report.PendingHash,
            },
            TrainSamples = (uint)member.Data.Train.Count,
            TestSamples = (uint)member.Data.Test.Count,
            ReachToken = report.ReachToken,
            Totals = new Protos.V1.Contribution
            {
                Steps = (ulong)report.Totals.Steps,
                Shards = (ulong)report.Totals.Shards,
                GradientBytesSent = (ulong)report.Totals.BytesSent,
            },
        };
        prepared.LayerNames.AddRange(member.LayerNames);
        return prepared;
    }

    private static Vote Vote(VoteReport report) => new()
    {
        Hash = report.Hash,
        Outcome = Outcome(report.Facts),
        ShardsComputed = (uint)report.Effort.Shards,
        GradientBytesSent = (ulong)report.Effort.BytesSent,
        ComputeSeconds = report.Effort.ComputeSeconds,
        ExchangeSeconds = report.Effort.ExchangeSeconds,
        DataWaitSeconds = report.Effort.DataWaitSeconds,
    };

    private static EvaluationPart Evaluated(EvaluationReport report)
    {
        var part = new EvaluationPart();
        part.Blocks.AddRange(report.Blocks.Select(b => new EvaluationBlock
        {
            Index = (uint)b.Index,
            Samples = (ulong)b.Samples,
            Top1 = (ulong)b.Top1,
            Top5 = (ulong)b.Top5,
            LossSum = b.LossSum,
        }));
        return part;
    }

    private static StepOutcome Outcome(StepFacts facts) => new()
    {
        Loss = facts.Loss,
        Samples = (ulong)facts.Samples,
        Correct = (ulong)facts.Correct,
        LearningRate = facts.LearningRate,
        FirstNonFinite = (ulong)facts.FirstNonFinite,
    };
}
