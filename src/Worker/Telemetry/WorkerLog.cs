using Microsoft.Extensions.Logging;

namespace AdderNet.Worker.Telemetry;

/// <summary>Log messages of the worker.</summary>
internal static partial class WorkerLog
{
    [LoggerMessage(1, LogLevel.Information, "Worker {WorkerId} listens on {Address} and looks for the coordinator at {Coordinator}")]
    public static partial void Started(this ILogger logger, string workerId, Uri address, Uri coordinator);

    [LoggerMessage(2, LogLevel.Warning, "Coordinator {Coordinator} cannot be reached, attempt {Attempt}: {Reason}")]
    public static partial void CoordinatorUnreachable(this ILogger logger, Uri coordinator, int attempt, string reason);

    [LoggerMessage(3, LogLevel.Warning, "The session with {Coordinator} broke: {Reason}; opening it again")]
    public static partial void SessionBroke(this ILogger logger, Uri coordinator, string reason);

    [LoggerMessage(4, LogLevel.Warning, "Report {Report} was not sent: {Reason}")]
    public static partial void ReportLost(this ILogger logger, string report, string reason);

    [LoggerMessage(5, LogLevel.Warning, "The coordinator sent {Kind}, which this build does not know")]
    public static partial void UnknownOrder(this ILogger logger, string kind);

    [LoggerMessage(6, LogLevel.Information, "Prepared for run {RunId}: {Parameters} parameters, {TrainSamples} training and {TestSamples} test samples, step {Step}")]
    public static partial void Prepared(this ILogger logger, string runId, int parameters, int trainSamples, int testSamples, long step);

    [LoggerMessage(7, LogLevel.Information, "Generation {Generation} from step {BaseStep} ({Why}): shards {Range} of {Members} members; {Route}")]
    public static partial void GenerationEntered(this ILogger logger, long generation, long baseStep, string why, Core.Sharding.ShardRange range, int members, string route);

    [LoggerMessage(8, LogLevel.Debug, "Ignored {Order} of step {Step}: {Reason}")]
    public static partial void OrderIgnored(this ILogger logger, string order, long step, string reason);

    [LoggerMessage(9, LogLevel.Debug, "Holding {Order} of step {Step}: {Reason}")]
    public static partial void OrderHeld(this ILogger logger, string order, long step, string reason);

    [LoggerMessage(10, LogLevel.Information, "Reporting what this member holds: {Reason}")]
    public static partial void ReportingState(this ILogger logger, string reason);

    [LoggerMessage(11, LogLevel.Debug, "Voted for step {Step}: hash {Hash}, loss {Loss}")]
    public static partial void Voted(this ILogger logger, long step, ulong hash, float loss);

    [LoggerMessage(12, LogLevel.Debug, "Applied step {Step}")]
    public static partial void Applied(this ILogger logger, long step);

    [LoggerMessage(13, LogLevel.Information, "Left {Work} of step {Step}: a newer order came")]
    public static partial void WorkInterrupted(this ILogger logger, string work, long step);

    [LoggerMessage(14, LogLevel.Warning, "{Phase} failed: {Reason}")]
    public static partial void PhaseFailed(this ILogger logger, string phase, string reason);

    [LoggerMessage(15, LogLevel.Information, "Wrote {Path}, {Bytes} bytes")]
    public static partial void FileWritten(this ILogger logger, string path, long bytes);

    [LoggerMessage(16, LogLevel.Information, "The run ended: {Reason}")]
    public static partial void RunEnded(this ILogger logger, string reason);

    [LoggerMessage(17, LogLevel.Information, "Leaving: {Reason}")]
    public static partial void Leaving(this ILogger logger, string reason);

    [LoggerMessage(18, LogLevel.Critical, "{Reason}")]
    public static partial void Failed(this ILogger logger, string reason, Exception? exception);
}
