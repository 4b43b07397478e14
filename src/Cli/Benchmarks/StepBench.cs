using System.Diagnostics;
using AdderNet.Core.Engine;
using AdderNet.Core.Kernels;

namespace AdderNet.Cli.Benchmarks;

/// <summary>Times whole training steps, the rate of fused multiply-adds measured between them.</summary>
internal sealed class StepBench(TimeProvider clock)
{
    private const int FewestSteps = 3;
    private const int MostSteps = 200;
    private const int UnmeasuredSteps = 2;

    /// <summary>Small models are also timed with the reference kernels; large ones would take minutes a step.</summary>
    private const double ReferenceElements = 1e9;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly StepPart[] Parts = Enum.GetValues<StepPart>();

    public async Task<StepReport> MeasureAsync(StepCase measured, CancellationToken cancellation)
    {
        using var step = new MeasuredStep(measured, clock, ConvolutionKernels.Best);
        using var reference = measured.AdderWork < ReferenceElements ? new MeasuredStep(measured, clock, new ReferenceKernels()) : null;
        for (var i = 0; i < UnmeasuredSteps; i++)
            await step.RunAsync(cancellation).ConfigureAwait(false);

        var (seconds, referenceSeconds, peaks) = (new List<double>(), new List<double>(), new List<double>());
        var parts = Parts.Select(_ => new List<double>()).ToArray();
        var waited = RunQueueWait.OfAllThreads();
        var began = clock.GetTimestamp();
        while (seconds.Count < FewestSteps || (seconds.Count < MostSteps && clock.GetElapsedTime(began) < Patience))
        {
            peaks.Add(PeakRate.Measure(clock, cancellation));
            seconds.Add(await TimeAsync(step, cancellation).ConfigureAwait(false));
            for (var i = 0; i < Parts.Length; i++)
                parts[i].Add(step.Clock.Seconds(Parts[i]));
            if (reference is not null && referenceSeconds.Count < FewestSteps)
                referenceSeconds.Add(await TimeAsync(reference, cancellation).ConfigureAwait(false));
        }

        var disturbance = (RunQueueWait.OfAllThreads() - waited) / clock.GetElapsedTime(began).TotalSeconds;
        var allocated = await step.CountAllocatedAsync(cancellation).ConfigureAwait(false);

        var median = Timing.MedianOf(seconds);
        var peak = Timing.MedianOf(peaks);
        using var process = Process.GetCurrentProcess();
        return new StepReport(
            [.. Parts.Select((part, i) => new StepPartRow(part, Timing.MedianOf(parts[i]), Timing.MedianOf(parts[i]) / median)).Where(row => row.Seconds > 0)],
            new StepSummary(
                measured.Model.Name, measured.Model.Input.Height, measured.Batch, measured.Threads, seconds.Count, median, measured.Batch / median,
                peak, measured.AdderWork / (peak * measured.Threads) / median, allocated, process.PeakWorkingSet64,
                reference is null ? null : Timing.MedianOf(referenceSeconds) / median,
                disturbance));
    }

    /// <summary>The sum of a step's parts: what its threads wait for a core, and the hand-over between them, does not count.</summary>
    private static async Task<double> TimeAsync(MeasuredStep step, CancellationToken cancellation)
    {
        step.Clock.Reset();
        await step.RunAsync(cancellation).ConfigureAwait(false);
        return Parts.Sum(step.Clock.Seconds);
    }
}
