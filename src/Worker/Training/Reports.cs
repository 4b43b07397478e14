using AdderNet.Core.Checkpoints;
using AdderNet.Core.Engine;
using AdderNet.Protos.V1;
using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Training;

/// <summary>What a member tells the coordinator, in its wire format.</summary>
internal static class Reports
{
    /// <summary>What this member holds, after preparing and after every reconnection.</summary>
    public static WorkerMessage Prepared(MemberState state, PreparedMember member, StepOutcome? applied)
    {
        var prepared = new Prepared
        {
            RunIdentity = member.Identity,
            DataManifestHash = member.Data.Manifest.Hash,
            Report = new MemberReport
            {
                AppliedStep = (ulong)state.AppliedStep,
                AppliedHash = state.AppliedHash,
                AppliedOutcome = applied,
                StateHash = StateHash.Compute(member.Replica.Layout, member.Replica.Export()),
                PendingStep = (ulong)state.PendingStep,
                PendingHash = state.PendingHash,
            },
            TrainSamples = (uint)member.Data.Train.Count,
            TestSamples = (uint)member.Data.Test.Count,
        };
        prepared.LayerNames.AddRange(member.LayerNames);
        return Message(state, state.AppliedStep, m => m.Prepared = prepared);
    }

    /// <summary>This member can compute the step after the base.</summary>
    public static WorkerMessage InPosition(MemberState state, string stateHash) =>
        Message(state, state.AppliedStep, m => m.InPosition = new InPosition { StateHash = stateHash });

    /// <summary>A reduced step is held; <paramref name="vote"/> lacks only its hash.</summary>
    public static WorkerMessage Vote(MemberState state, Vote vote) => Message(state, state.PendingStep, m => m.Vote = vote);

    /// <summary>Sums of evaluated blocks.</summary>
    public static WorkerMessage Evaluation(MemberState state, IEnumerable<EvaluationBlock> blocks)
    {
        var part = new EvaluationPart();
        part.Blocks.AddRange(blocks);
        return Message(state, state.AppliedStep, m => m.Evaluation = part);
    }

    /// <summary>A file was written.</summary>
    public static WorkerMessage Checkpoint(MemberState state, SavedFile file, string weightsHash) => Message(state, state.AppliedStep, m =>
        m.Checkpoint = new CheckpointWritten { Path = file.Path, Sha256 = file.Sha256, Bytes = (ulong)file.Bytes, WeightsHash = weightsHash });

    /// <summary>A phase could not be finished.</summary>
    public static WorkerMessage Failed(MemberState state, long step, string phase, string reason, string peer) => Message(state, step, m =>
        m.PhaseFailed = new PhaseFailed { Phase = phase, Reason = reason, Peer = peer });

    /// <summary>The worker goes.</summary>
    public static WorkerMessage Leave(string runId, string reason) => new() { RunId = runId, Leave = new Leave { Reason = reason } };

    /// <summary>What a step came to, from its reduced form.</summary>
    public static StepOutcome Outcome(ReducedStep step, ModelLayout layout, double learningRate) => new()
    {
        Loss = step.Mean[layout.LossIndex],
        Samples = (ulong)step.Counts.Samples,
        Correct = (ulong)step.Counts.Correct,
        LearningRate = learningRate,
        FirstNonFinite = (ulong)step.Counts.FirstNonFinite,
    };

    private static WorkerMessage Message(MemberState state, long step, Action<WorkerMessage> body)
    {
        var message = new WorkerMessage { RunId = state.RunId, Generation = (ulong)state.Generation, Step = (ulong)step };
        body(message);
        return message;
    }
}
