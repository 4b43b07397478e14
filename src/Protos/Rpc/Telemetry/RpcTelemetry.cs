using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace AdderNet.Protos.Rpc;

/// <summary>Spans and measurements of calls, under the name <c>AdderNet.Rpc</c>.</summary>
public static class RpcTelemetry
{
    /// <summary>Name of the <see cref="ActivitySource"/> and of the <see cref="Meter"/>.</summary>
    public const string Name = "AdderNet.Rpc";

    internal static readonly ActivitySource Source = new(Name);

    private static readonly Meter Meter = new(Name);

    private static readonly Histogram<double> Duration = Meter.CreateHistogram<double>(
        "addernet.rpc.duration", "s", "Time from the start of a call to its status, by side, method and status");

    private static readonly UpDownCounter<long> Active = Meter.CreateUpDownCounter<long>(
        "addernet.rpc.active", "{call}", "Calls in progress, by side and method");

    private static readonly Counter<long> BytesSent = Meter.CreateCounter<long>(
        "addernet.rpc.sent", "By", "Bytes of messages and their prefixes sent, by side and method");

    internal static void Started(string side, string method)
        => Active.Add(1, new KeyValuePair<string, object?>("side", side), new KeyValuePair<string, object?>("method", method));

    internal static void Sent(string side, string method, int bytes)
        => BytesSent.Add(bytes, new KeyValuePair<string, object?>("side", side), new KeyValuePair<string, object?>("method", method));

    internal static void Ended(string side, string method, RpcStatusCode status, TimeSpan duration)
    {
        var sideTag = new KeyValuePair<string, object?>("side", side);
        var methodTag = new KeyValuePair<string, object?>("method", method);
        Active.Add(-1, sideTag, methodTag);
        Duration.Record(duration.TotalSeconds, sideTag, methodTag, new KeyValuePair<string, object?>("status", status.ToString()));
    }

    /// <summary>Closes a span with the status of its call, leaving the caller's current span alone.</summary>
    internal static void Close(Activity? activity, RpcStatusCode status, string? detail)
    {
        if (activity is null)
            return;
        activity.SetTag("rpc.grpc.status_code", (int)status);
        if (status != RpcStatusCode.Ok)
            activity.SetStatus(ActivityStatusCode.Error, detail);
        Activity? current = Activity.Current;
        activity.Stop();
        Activity.Current = ReferenceEquals(current, activity) ? activity.Parent : current;
    }
}
