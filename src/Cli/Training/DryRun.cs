using AdderNet.Cli.CommandLine;
using AdderNet.Cli.DataSets;
using AdderNet.Core.Configuration;
using AdderNet.Core.Engine;
using AdderNet.Core.Models;

namespace AdderNet.Cli.Training;

/// <summary><c>train --dry-run</c>: what would be trained, and whether it fits. Nothing is fetched, started or written.</summary>
internal static class DryRun
{
    // Runtime, network buffers and read-ahead of one worker process, on top of what the engine counts.
    private const long ProcessBytes = 150L << 20;

    /// <returns>The exit status: 1 when the workers together need more memory than this machine has.</returns>
    public static int Run(TrainRequest request, TextWriter output)
    {
        var plan = TrainPlan.Resolve(request, requireData: false);
        var input = ModelInput.Of(plan.Description.Data);
        var model = ModelCatalog.Describe(plan.Description.Model, input);
        var estimate = MemoryEstimate.Of(model, plan.Description.Batch, plan.Workers);
        output.Write(RunDescriptionFile.Write(plan.Description));
        // Comments, so that the whole output is a run description that trains.
        output.WriteLine();
        output.WriteLine($"# input       {input.Height} x {input.Width} x {input.Channels}");
        output.WriteLine($"# parameters  {estimate.Parameters}");
        output.WriteLine($"# workers     {plan.Workers}, {plan.Threads} thread(s) each");
        output.WriteLine(
            $"# memory      {ProgressText.Bytes(Needed(estimate))} per worker: weights and momentum {ProgressText.Bytes(estimate.StateBytes)}, "
            + $"activations {ProgressText.Bytes(estimate.ShardBytes * estimate.ShardsHeld)}, gradients {ProgressText.Bytes(estimate.ReductionBytes)}, process {ProgressText.Bytes(ProcessBytes)}");
        output.WriteLine($"# output      {plan.Output}");
        RequireMemory(estimate, plan.Workers, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        return ExitCode.Done;
    }

    /// <summary>Refuses workers that together need more than the machine has.</summary>
    /// <param name="estimate">Need of one worker.</param>
    /// <param name="workers">How many there are.</param>
    /// <param name="available">Bytes of the machine, or of the container around this process.</param>
    /// <exception cref="CommandFailedException">They do not fit.</exception>
    public static void RequireMemory(MemoryEstimate estimate, int workers, long available)
    {
        var needed = workers * Needed(estimate);
        if (needed > available)
        {
            throw new CommandFailedException(
                $"this cannot fit: {workers} worker(s) need {ProgressText.Bytes(needed)} and this machine has {ProgressText.Bytes(available)}; "
                + "use fewer --workers, or more batch.shards (each is held in memory at once), for example --workers 1 --set batch.shards=64");
        }
    }

    private static long Needed(MemoryEstimate estimate) => estimate.TotalBytes + ProcessBytes;
}
