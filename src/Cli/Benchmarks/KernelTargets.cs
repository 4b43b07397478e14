using System.Globalization;
using AdderNet.Core.Configuration;

namespace AdderNet.Cli.Benchmarks;

/// <summary>A figure over many rows beside what it should be.</summary>
/// <param name="Name">What was taken.</param>
/// <param name="Value">What it is.</param>
/// <param name="Target">What it should be.</param>
/// <param name="AtMost">Whether smaller is better.</param>
/// <param name="OnRegisters">
/// What it would be if every pass took as long as its instructions do on registers; layers with padding can do better, since taps outside the map
/// count as elements and take no time. Null where that says nothing.
/// </param>
internal sealed record KernelTarget(string Name, double Value, double Target, bool AtMost, double? OnRegisters = null)
{
    public bool Met => Reaches(Value);

    /// <summary>Whether the target is missed by the instructions alone.</summary>
    public bool OutOfReach => OnRegisters is { } best && !Reaches(best);

    /// <summary>A line for people; without thresholds only the figure.</summary>
    public string Line(bool thresholds)
    {
        var figure = string.Create(CultureInfo.InvariantCulture, $"{Name}: {Value:0.000}");
        if (!thresholds)
            return figure;
        figure = string.Create(CultureInfo.InvariantCulture, $"{figure} ({(AtMost ? "at most" : "at least")} {Target:0.00}): {(Met ? "met" : "missed")}");
        return OutOfReach ? string.Create(CultureInfo.InvariantCulture, $"{figure}; this processor's instructions alone, on registers: {OnRegisters:0.000}") : figure;
    }

    private bool Reaches(double value) => AtMost ? value <= Target : value >= Target;
}

/// <summary>What the kernels' figures are judged by; set for processors with AVX-512.</summary>
internal static class KernelTargets
{
    private const int Forward = 0;
    private const int Filter = 1;
    private const int Input = 2;

    /// <summary>The targets whose layers were measured.</summary>
    public static IEnumerable<KernelTarget> Of(IReadOnlyList<KernelFigures> figures)
    {
        var deep = figures.Where(layer => layer.Layer.Models.Contains(ModelName.ResNet50)).ToList();
        if (deep.Count > 0)
        {
            yield return new("forward over filter gradient, median of ResNet-50's layers", Ratio(deep, Forward), 1.25, AtMost: true, RatioOnRegisters(deep, Forward));
            yield return new("input gradient over filter gradient, median of ResNet-50's layers", Ratio(deep, Input), 1.7, AtMost: true, RatioOnRegisters(deep, Input));
            yield return new("filter gradient's share of the FMA peak, median of ResNet-50's layers", Timing.MedianOf(deep.Select(layer => layer.Rows[Filter].OfBound)), 0.9, AtMost: false);
        }

        var small = figures.Where(layer => layer.Layer.Models.Contains(ModelName.ResNet20)).ToList();
        if (small.Count > 0)
        {
            yield return new("share of the bound, least of ResNet-20's layers", small.Min(layer => layer.Rows.Min(row => row.OfBound)), 0.65, AtMost: false, small.Min(layer => layer.Rows.Min(OfBoundOnRegisters)));
            yield return new("share of the bound or of what memory allows, whichever is nearer, least of ResNet-20's layers", small.Min(layer => layer.Rows.Min(row => Math.Max(row.OfBound, row.OfMemory))), 0.65, AtMost: false, small.Min(layer => layer.Rows.Min(row => Math.Max(row.OfBound, row.OfMemory) / row.OfMix)));
        }

        var gains = figures.SelectMany(layer => layer.SpeedUps).ToList();
        if (gains.Count > 0)
            yield return new($"gain from {gains[0].Threads} threads over that of a loop without memory, median of all layers", Timing.MedianOf(gains.Select(gain => gain.OfLoop)), 0.95, AtMost: false);
    }

    private static double RatioOnRegisters(List<KernelFigures> layers, int kernel) =>
        Timing.MedianOf(layers.Select(layer => SecondsOnRegisters(layer.Rows[kernel]) / SecondsOnRegisters(layer.Rows[Filter])));

    private static double SecondsOnRegisters(KernelRow row) => row.Seconds * row.OfMix;

    private static double OfBoundOnRegisters(KernelRow row) => row.OfBound / row.OfMix;

    private static double Ratio(List<KernelFigures> layers, int kernel) =>
        Timing.MedianOf(layers.Select(layer => layer.Rows[kernel].Seconds / layer.Rows[Filter].Seconds));
}
