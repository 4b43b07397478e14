using System.Diagnostics;
using System.Runtime;
using AdderNet.Core.Engine;
using AdderNet.Core.Kernels;

namespace AdderNet.Cli.Benchmarks;

/// <summary>Times whole training steps, the rate of fused multiply-adds measured between them.</summary>
internal sealed class StepBench(TimeProvider clock)
{
    private const int FewestSteps = 3;
    private const int MostSteps = 200;
    private const int FewestUncounted = 2;

    /// <summary>Small models are also timed with the reference kernels; large ones would take minutes a step.</summary>
    private const double ReferenceElements = 1e9;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly StepPart[] Parts = Enum.GetValues<StepPart>();

    public async Task<StepReport> MeasureAsync(StepCase measured, CancellationToken cancellation)
    {
        using var step = new MeasuredStep(measured, clock, ConvolutionKernels.Best);
        using var reference = measured.AdderWork.Weighed < ReferenceElements ? new MeasuredStep(measured, clock, new ReferenceKernels()) : null;
        await WarmAsync(step, cancellation).ConfigureAwait(false);
        using var process = Process.GetCurrentProcess();
        var memory = process.PeakWorkingSet64;

        // What several threads gain is told from steps on one thread in turn, which hold their own buffers.
        using var alone = measured.Threads > 1 ? new MeasuredStep(measured with { Threads = 1 }, clock, ConvolutionKernels.Best) : null;
        if (alone is not null)
            await WarmAsync(alone, cancellation).ConfigureAwait(false);
        var (steps, steps1, rates) = (new StepTimes(), new StepTimes(), new List<double>());
        var (referenceSeconds, peaks) = (new List<double>(), new List<double>());
        var loops = PeakRate.MeasureLoops(clock, cancellation);
        var waited = RunQueueWait.OfAllThreads();
        var began = clock.GetTimestamp();
        while (steps.Count < FewestSteps || (steps.Count < MostSteps && clock.GetElapsedTime(began) < Patience))
        {
            peaks.Add(PeakRate.Measure(1, clock, cancellation));
            await steps.TakeAsync(step, cancellation).ConfigureAwait(false);
            if (alone is not null)
            {
                rates.Add(PeakRate.Measure(measured.Threads, clock, cancellation));
                await steps1.TakeAsync(alone, cancellation).ConfigureAwait(false);
            }

            if (reference is not null && referenceSeconds.Count < FewestSteps)
                referenceSeconds.Add(await StepTimes.OfAsync(reference, cancellation).ConfigureAwait(false));
        }

        var disturbance = (RunQueueWait.OfAllThreads() - waited) / clock.GetElapsedTime(began).TotalSeconds;
        var allocated = await step.CountAllocatedAsync(cancellation).ConfigureAwait(false);

        var median = steps.Median;
        var peak = Timing.MedianOf(peaks);
        return new StepReport(
            [.. Parts.Select(part => new StepPartRow(part, steps.MedianOf(part), steps.MedianOf(part) / median, alone is null ? null : steps1.MedianOf(part) / steps.MedianOf(part))).Where(row => row.Seconds > 0)],
            new StepSummary(
                measured.Model.Name, measured.Model.Input.Height, measured.Batch, measured.Threads, steps.Count, median, measured.Batch / median,
                peak, measured.AdderWork.Weighed / (peak * measured.Threads) / median, measured.AdderWork.OfBoundOnRegisters(loops), allocated, memory,
                reference is null ? null : Timing.MedianOf(referenceSeconds) / median,
                alone is null ? null : Gain(steps1.Median / median, Timing.MedianOf(rates) / peak),
                disturbance));
    }

    private static StepGain Gain(double speedUp, double loop) => new(speedUp, loop, speedUp / loop);

    private async Task WarmAsync(MeasuredStep step, CancellationToken cancellation)
    {
        var warmUp = new WarmUp(clock, WarmUp.Longest);
        for (var i = 0; warmUp.Goes(JitInfo.GetCompilationTime()) || i < FewestUncounted; i++)
            await step.RunAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Times of steps and of their parts.</summary>
    private sealed class StepTimes
    {
        private readonly List<double> seconds = [];
        private readonly List<double>[] parts = [.. Parts.Select(_ => new List<double>())];

        public int Count => seconds.Count;

        public double Median => Timing.MedianOf(seconds);

        public double MedianOf(StepPart part) => Timing.MedianOf(parts[Array.IndexOf(Parts, part)]);

        public async Task TakeAsync(MeasuredStep step, CancellationToken cancellation)
        {
            seconds.Add(await OfAsync(step, cancellation).ConfigureAwait(false));
            for (var i = 0; i < Parts.Length; i++)
                parts[i].Add(step.Clock.Seconds(Parts[i]));
        }

        /// <summary>The sum of a step's parts: what its threads wait for a core, and the hand-over between them, does not count.</summary>
        public static async Task<double> OfAsync(MeasuredStep step, CancellationToken cancellation)
        {
            step.Clock.Reset();
            await step.RunAsync(cancellation).ConfigureAwait(false);
            return Parts.Sum(step.Clock.Seconds);
        }
    }
}
