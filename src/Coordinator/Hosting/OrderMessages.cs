using AdderNet.Coordinator.Output;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Coordinator.Store;
using AdderNet.Protos.V1;

namespace AdderNet.Coordinator.Hosting;

/// <summary>Orders of the run logic as messages to workers: the only place where they meet protobuf.</summary>
internal static class OrderMessages
{
    public static CoordinatorMessage Of(RunPlan plan, Send send)
    {
        var message = new CoordinatorMessage
        {
            RunId = plan.RunId,
            Generation = (ulong)send.Generation,
            Step = (ulong)send.Step,
        };
        switch (send.Order)
        {
            case WelcomeOrder welcome:
                message.Welcome = Welcome(plan, send.WorkerId, welcome);
                break;
            case RefusedOrder refused:
                message.Refused = new Refused { Reason = refused.Why, Final = refused.Final };
                break;
            case GenerationStartedOrder started:
                message.GenerationStarted = Generation(plan, started.Plan);
                break;
            case StartStepOrder:
                message.StartStep = new StartStep();
                break;
            case CommitOrder commit:
                message.Commit = new Commit { Hash = commit.Hash, Skip = commit.Skip };
                break;
            case EvaluateOrder evaluate:
                message.Evaluate = new Evaluate
                {
                    BlockSize = (uint)evaluate.BlockSize,
                    FirstBlock = (uint)evaluate.Blocks.First,
                    EndBlock = (uint)evaluate.Blocks.End,
                };
                break;
            case WriteCheckpointOrder write:
                message.WriteCheckpoint = new WriteCheckpoint { Directory = plan.Output, File = write.File, WeightsOnly = write.WeightsOnly };
                break;
            case ReleasedOrder released:
                message.Released = new Released { Reason = released.Why };
                break;
            case RunEndedOrder ended:
                message.RunEnded = Ended(ended.Condition, ended.Why);
                break;
        }

        return message;
    }

    public static RunEnded Ended(RunCondition condition, string why) => new()
    {
        Completed = condition == RunCondition.Completed,
        Reason = why,
        State = StoredNames.Of(condition),
    };

    private static Welcome Welcome(RunPlan plan, string workerId, WelcomeOrder welcome) => new()
    {
        WorkerId = workerId,
        Description = plan.DescriptionText,
        RunIdentity = welcome.Identity,
        DataManifestHash = welcome.ManifestHash,
        HeartbeatMs = (uint)plan.Description.Elastic.HeartbeatMs,
        LeaseMs = (uint)plan.Description.Elastic.LeaseMs,
        InitialWeights = plan.InitialWeights,
        ResumeFrom = Below(plan, welcome.ResumeFrom),
        Output = plan.Output,
        TokenFile = plan.ReachToken.Length == 0 ? "" : RunDirectory.TokenFile,
    };

    private static GenerationStarted Generation(RunPlan plan, GenerationPlan generation)
    {
        var started = new GenerationStarted
        {
            BaseStep = (ulong)generation.BaseStep,
            BaseHash = generation.BaseHash,
            Checkpoint = Below(plan, generation.Checkpoint),
            Reason = generation.Why,
        };
        started.Sources.AddRange(generation.Sources);
        started.Members.AddRange(generation.Members.Select(m => new Member
        {
            WorkerId = m.WorkerId,
            Address = m.Address,
            FirstShard = (uint)m.Range.First,
            EndShard = (uint)m.Range.End,
            Votes = m.Votes,
        }));
        return started;
    }

    private static string Below(RunPlan plan, string file) => file.Length == 0 ? "" : Path.Combine(plan.Output, file);
}
