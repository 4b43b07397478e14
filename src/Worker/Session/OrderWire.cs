using AdderNet.Core.Sharding;
using AdderNet.Protos.V1;
using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Session;

/// <summary>Frees the coordinator's messages from their wire format.</summary>
internal static class OrderWire
{
    /// <summary>The order that a message carries; null for a kind that this build does not know.</summary>
    public static Order? FromWire(CoordinatorMessage message)
    {
        var run = message.RunId;
        var generation = (long)message.Generation;
        var step = (long)message.Step;
        return message.BodyCase switch
        {
            CoordinatorMessage.BodyOneofCase.Welcome => Welcome(run, message.Welcome),
            CoordinatorMessage.BodyOneofCase.Refused => new RefusedOrder(run, message.Refused.Reason, message.Refused.Final),
            CoordinatorMessage.BodyOneofCase.GenerationStarted => new GenerationOrder(View(run, generation, message.GenerationStarted)),
            CoordinatorMessage.BodyOneofCase.StartStep => new StepOrder(run, generation, step),
            CoordinatorMessage.BodyOneofCase.Commit => new CommitOrder(run, generation, step, message.Commit.Hash, message.Commit.Skip),
            CoordinatorMessage.BodyOneofCase.Evaluate => new EvaluateOrder(
                run, generation, step, (int)message.Evaluate.BlockSize, (int)message.Evaluate.FirstBlock, (int)message.Evaluate.EndBlock),
            CoordinatorMessage.BodyOneofCase.WriteCheckpoint => new CheckpointOrder(
                run, generation, step, message.WriteCheckpoint.Directory, message.WriteCheckpoint.File, message.WriteCheckpoint.WeightsOnly),
            CoordinatorMessage.BodyOneofCase.Released => new ReleasedOrder(run, message.Released.Reason),
            CoordinatorMessage.BodyOneofCase.RunEnded => new EndOrder(
                run, generation, step, !message.RunEnded.Completed && message.RunEnded.State is "" or "failed", message.RunEnded.Reason),
            _ => null,
        };
    }

    private static WelcomeOrder Welcome(string run, Welcome welcome) => new(
        run,
        welcome.Description,
        welcome.RunIdentity,
        welcome.DataManifestHash,
        TimeSpan.FromMilliseconds(Math.Clamp(welcome.HeartbeatMs, 10, 60_000)),
        TimeSpan.FromMilliseconds(Math.Clamp(welcome.LeaseMs, 10, 3_600_000)),
        welcome.InitialWeights,
        welcome.ResumeFrom)
    {
        Output = welcome.Output,
        TokenFile = welcome.TokenFile,
    };

    private static GenerationView View(string run, long generation, GenerationStarted started) => new(
        run,
        generation,
        started.Members.Select(m => new MemberInfo(m.WorkerId, m.Address, new ShardRange((int)m.FirstShard, (int)m.EndShard), m.Votes)).ToList(),
        (long)started.BaseStep,
        started.BaseHash,
        [.. started.Sources],
        started.Checkpoint,
        started.Reason);
}
