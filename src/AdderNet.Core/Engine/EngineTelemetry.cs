using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace AdderNet.Core.Engine;

/// <summary>The engine's traces and measures, both named <c>AdderNet.Core</c>.</summary>
internal static class EngineTelemetry
{
    private const string Name = "AdderNet.Core";

    public static readonly ActivitySource Activities = new(Name);

    private static readonly Meter Meter = new(Name);

    public static readonly Counter<long> Samples = Meter.CreateCounter<long>("addernet.samples", "{sample}", "Samples trained on by this process.");

    public static readonly Histogram<double> ComputeSeconds =
        Meter.CreateHistogram<double>("addernet.compute.duration", "s", "Forward and backward passes of the shards of one step.");

    public static readonly Histogram<double> ApplySeconds =
        Meter.CreateHistogram<double>("addernet.apply.duration", "s", "Update of weights, momentum and running statistics.");
}
