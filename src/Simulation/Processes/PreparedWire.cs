using AdderNet.Protos.V1;
using AdderNet.Worker.Membership;
using AdderNet.Worker.Training;

namespace AdderNet.Simulation.Processes;

/// <summary>Reports of a simulated member on the wire: its replica and data are not those of a process, all else is.</summary>
internal static class PreparedWire
{
    private static readonly string[] Layers = ["conv1", "conv2", "fc"];

    public static WorkerMessage Of(World world, SimulatedWorker worker, Tell tell)
    {
        var run = world.Scenario.Plan.RunId;
        if (tell.Report is not PreparedReport report)
            return Reports.ToWire(run, tell, null!);
        var prepared = new Prepared
        {
            RunIdentity = "identity",
            DataManifestHash = "manifest",
            Report = new MemberReport
            {
                AppliedStep = (ulong)report.AppliedStep,
                AppliedHash = report.AppliedHash,
                AppliedOutcome = report.AppliedFacts is { } facts
                    ? new StepOutcome { Loss = facts.Loss, Samples = (ulong)facts.Samples, Correct = (ulong)facts.Correct, LearningRate = facts.LearningRate, FirstNonFinite = (ulong)facts.FirstNonFinite }
                    : null,
                StateHash = worker.Replica.StateHash,
                PendingStep = (ulong)report.PendingStep,
                PendingHash = report.PendingHash,
            },
            TrainSamples = (uint)world.Scenario.TrainSamples,
            TestSamples = Scenario.TestSamples,
            ReachToken = report.ReachToken,
            Totals = new Protos.V1.Contribution
            {
                Steps = (ulong)report.Totals.Steps,
                Shards = (ulong)report.Totals.Shards,
                GradientBytesSent = (ulong)report.Totals.BytesSent,
            },
        };
        prepared.LayerNames.AddRange(Layers);
        return new WorkerMessage { RunId = run, Generation = (ulong)tell.Generation, Step = (ulong)tell.Step, Prepared = prepared };
    }
}
