using System.Diagnostics;
using System.Diagnostics.Metrics;
using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Telemetry;

/// <summary>Traces and metrics of the worker, both named <c>AdderNet.Worker</c>.</summary>
internal static class WorkerTelemetry
{
    public const string Name = "AdderNet.Worker";

    public static readonly ActivitySource Activities = new(Name);

    private static readonly Meter Meter = new(Name);

    public static readonly Counter<long> ShardsComputed = Meter.CreateCounter<long>("addernet.worker.shards", "{shard}", "Shards computed.");

    public static readonly Counter<long> StepsApplied = Meter.CreateCounter<long>("addernet.worker.steps", "{step}", "Committed steps applied.");

    public static readonly Counter<long> BytesSent = Meter.CreateCounter<long>("addernet.worker.exchange.sent", "By", "Bytes of pieces sent to other members.");

    public static readonly Counter<long> OrdersIgnored = Meter.CreateCounter<long>("addernet.worker.orders.ignored", "{order}", "Orders that were stale, foreign or said twice.");

    public static readonly Histogram<double> ComputeSeconds = Meter.CreateHistogram<double>("addernet.worker.compute", "s", "Forward and backward of one step's shards.");

    public static readonly Histogram<double> ExchangeSeconds = Meter.CreateHistogram<double>("addernet.worker.exchange", "s", "Reduce-scatter and all-gather of one step, from the end of the last backward pass.");

    public static readonly Histogram<double> DataWaitSeconds = Meter.CreateHistogram<double>("addernet.worker.data_wait", "s", "Time of one step's compute spent waiting for samples.");

    public static readonly Histogram<double> FileStallSeconds = Meter.CreateHistogram<double>("addernet.worker.checkpoint.stall", "s", "Time for which training stood still for a file of state.");

    public static readonly Histogram<double> FileWriteSeconds = Meter.CreateHistogram<double>("addernet.worker.checkpoint.write", "s", "Writing a file of state in the background.");

    /// <summary>The span of one step on this member.</summary>
    public static Activity? Step(long step, long generation)
    {
        var activity = Activities.StartActivity("step");
        activity?.SetTag("addernet.step", step);
        activity?.SetTag("addernet.generation", generation);
        return activity;
    }

    /// <summary>Records where a step's time went.</summary>
    public static void Record(StepEffort effort)
    {
        ShardsComputed.Add(effort.Shards);
        ComputeSeconds.Record(effort.ComputeSeconds);
        ExchangeSeconds.Record(effort.ExchangeSeconds);
        DataWaitSeconds.Record(effort.DataWaitSeconds);
    }

    /// <summary>Records what a file of state cost.</summary>
    public static void Record(WrittenFile file)
    {
        FileStallSeconds.Record(file.StallSeconds);
        FileWriteSeconds.Record(file.WriteSeconds);
    }
}
