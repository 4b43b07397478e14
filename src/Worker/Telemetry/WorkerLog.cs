using AdderNet.Worker.Membership;
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

    [LoggerMessage(7, LogLevel.Information, "Entering {Generation}")]
    private static partial void GenerationEntered(this ILogger logger, string generation);

    [LoggerMessage(8, LogLevel.Debug, "{What}")]
    private static partial void OrderIgnored(this ILogger logger, string what);

    [LoggerMessage(9, LogLevel.Debug, "{What}")]
    private static partial void OrderHeld(this ILogger logger, string what);

    [LoggerMessage(10, LogLevel.Information, "{What}")]
    private static partial void WorkInterrupted(this ILogger logger, string what);

    [LoggerMessage(11, LogLevel.Warning, "{What}")]
    private static partial void MemberWarning(this ILogger logger, string what);

    [LoggerMessage(15, LogLevel.Information, "Wrote {Path}, {Bytes} bytes: training stood still for {StallMs:0.0} ms, the writing took {WriteMs:0.0} ms")]
    public static partial void FileWritten(this ILogger logger, string path, long bytes, double stallMs, double writeMs);

    [LoggerMessage(16, LogLevel.Information, "The run ended: {Reason}")]
    public static partial void RunEnded(this ILogger logger, string reason);

    [LoggerMessage(17, LogLevel.Information, "Leaving: {Reason}")]
    public static partial void Leaving(this ILogger logger, string reason);

    [LoggerMessage(18, LogLevel.Critical, "{Reason}")]
    public static partial void Failed(this ILogger logger, string reason, Exception? exception);

    /// <summary>What the machine found worth a line.</summary>
    public static void Noted(this ILogger logger, Note note)
    {
        switch (note.Kind)
        {
            case NoteKind.Ignored:
                WorkerTelemetry.OrdersIgnored.Add(1);
                logger.OrderIgnored(note.Text);
                break;
            case NoteKind.Held:
                logger.OrderHeld(note.Text);
                break;
            case NoteKind.Interrupted:
                logger.WorkInterrupted(note.Text);
                break;
            case NoteKind.Generation:
                logger.GenerationEntered(note.Text);
                break;
            case NoteKind.Warning:
                logger.MemberWarning(note.Text);
                break;
        }
    }
}
