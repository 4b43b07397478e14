using System.Globalization;
using System.Text.Json.Serialization;
using AdderNet.Core.Engine;

namespace AdderNet.Cli.Benchmarks;

/// <summary>A part of a step.</summary>
/// <param name="Part">Which.</param>
/// <param name="Seconds">Median over the steps.</param>
/// <param name="OfStep">Its share of the step's median.</param>
/// <param name="SpeedUp">Its time on one thread over that; null: one thread was measured.</param>
internal sealed record StepPartRow([property: JsonConverter(typeof(JsonStringEnumConverter<StepPart>))] StepPart Part, double Seconds, double OfStep, double? SpeedUp);

/// <summary>What a step gains from several threads, steps on one and on all of them taken in turns.</summary>
/// <param name="SpeedUp">Time on one thread over time on all.</param>
/// <param name="LoopSpeedUp">What a loop without memory gains between these steps.</param>
/// <param name="OfLoop">The first over the second.</param>
internal sealed record StepGain(double SpeedUp, double LoopSpeedUp, double OfLoop);

/// <summary>A step as a whole.</summary>
/// <param name="Model">The model.</param>
/// <param name="ImageSize">Side of the images.</param>
/// <param name="Batch">Images of the step.</param>
/// <param name="Threads">Threads that computed.</param>
/// <param name="Steps">Steps that were timed.</param>
/// <param name="Seconds">Median of a step: the sum of its parts, without what the thread that drives it waited for a core.</param>
/// <param name="ImagesPerSecond">Of the median.</param>
/// <param name="FmaPeak">Fused multiply-adds (lane-elements) a second of one core.</param>
/// <param name="OfBound">The time that the adder layers alone need at that rate, over the step's time.</param>
/// <param name="OnRegisters">What that share would be if a step were nothing but its adder layers' instructions, as fast as on registers.</param>
/// <param name="AllocatedBytes">Bytes that a step's computation and update allocated on the managed heap, on all compute threads.</param>
/// <param name="PeakMemoryBytes">Most memory that the process ever had in use.</param>
/// <param name="TimesReference">How many times faster than with the reference kernels; null: not measured.</param>
/// <param name="Gain">What several threads gained; null: one was measured.</param>
/// <param name="Disturbance">Seconds that threads of this process waited for a core, a second.</param>
internal sealed record StepSummary(
    string Model, int ImageSize, int Batch, int Threads, int Steps, double Seconds, double ImagesPerSecond, double FmaPeak, double OfBound, double OnRegisters,
    long AllocatedBytes, long PeakMemoryBytes, double? TimesReference, StepGain? Gain, double Disturbance);

/// <summary>What <c>bench step</c> measured.</summary>
internal sealed record StepReport(IReadOnlyList<StepPartRow> Parts, StepSummary Summary)
{
    private static readonly StepPart[] AdderKernels = [StepPart.AdderForward, StepPart.AdderFilterGradient, StepPart.AdderInputGradient];

    /// <summary>Share of the step outside the adder kernels.</summary>
    public double Outside => 1 - Parts.Where(row => AdderKernels.Contains(row.Part)).Sum(row => row.OfStep);

    /// <summary>The report for people.</summary>
    public IEnumerable<string> Lines()
    {
        var s = Summary;
        yield return Text($"{s.Model} at {s.ImageSize}x{s.ImageSize}, {s.Batch} images, {s.Threads} thread(s), median of {s.Steps} steps");
        foreach (var row in Parts)
            yield return Text($"  {row.Part,-22} {row.Seconds * 1e3,10:0.000} ms  {row.OfStep,6:0.0 %}{(row.SpeedUp is { } gain ? Text($"  {gain,5:0.00} times one thread's speed") : "")}");
        yield return Text($"  {"step",-22} {s.Seconds * 1e3,10:0.000} ms, {s.ImagesPerSecond:0.00} images/s; outside the adder kernels {Outside:0.0 %}");
        yield return Text($"  {s.OfBound:0.0 %} of the bound that {s.FmaPeak / 1e9:0.0} G fused multiply-adds a second and core give for the adder layers alone; their instructions on registers: {s.OnRegisters:0.0 %}");
        if (s.Gain is { } all)
            yield return Text($"  {all.SpeedUp:0.00} times one thread's speed; a loop without memory, measured in turn, {all.LoopSpeedUp:0.00} times: {all.OfLoop:0.0 %} of that");
        if (s.TimesReference is { } times)
            yield return Text($"  {times:0.0} times the speed of the reference kernels");
        yield return Text($"  allocated {s.AllocatedBytes} bytes a step; peak memory {s.PeakMemoryBytes / 1e6:0} MB; waited for a core {s.Disturbance:0.0 %} of the time");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
