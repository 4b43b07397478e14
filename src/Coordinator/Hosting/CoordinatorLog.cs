using Microsoft.Extensions.Logging;

namespace AdderNet.Coordinator.Hosting;

/// <summary>Log messages of the coordinator. Event ids 2000 to 2099.</summary>
internal static partial class CoordinatorLog
{
    [LoggerMessage(2000, LogLevel.Information, "Coordinator listens on {Address}, store {Store}, fencing token holder {Owner}")]
    public static partial void Started(ILogger log, Uri address, string store, string owner);

    [LoggerMessage(2001, LogLevel.Information, "Coordinator stops: {Reason}")]
    public static partial void Stopping(ILogger log, string reason);

    [LoggerMessage(2002, LogLevel.Error, "The store's lease is lost: {Reason}")]
    public static partial void LeaseLost(ILogger log, string reason);

    [LoggerMessage(2003, LogLevel.Warning, "The store's lease could not be renewed: {Reason}")]
    public static partial void LeaseNotRenewed(ILogger log, string reason);

    [LoggerMessage(2004, LogLevel.Information, "Standing by: {Holder} holds store {Store}")]
    public static partial void StandingBy(ILogger log, string holder, string store);

    [LoggerMessage(2005, LogLevel.Warning, "Nothing is decided until the store's lease is renewed")]
    public static partial void LeaseDoubtful(ILogger log);

    [LoggerMessage(2006, LogLevel.Information, "The store's lease is renewed: going on")]
    public static partial void LeaseSure(ILogger log);

    [LoggerMessage(2010, LogLevel.Information, "Run {RunId} taken up at step {Step} from {Output}")]
    public static partial void RunTakenUp(ILogger log, string runId, long step, string output);

    [LoggerMessage(2011, LogLevel.Information, "Run {RunId}: {Reason}")]
    public static partial void RunReason(ILogger log, string runId, string reason);

    [LoggerMessage(2012, LogLevel.Information, "Run {RunId}: {Text}")]
    public static partial void Joined(ILogger log, string runId, string text);

    [LoggerMessage(2013, LogLevel.Warning, "Run {RunId}: {Text}")]
    public static partial void Refused(ILogger log, string runId, string text);

    [LoggerMessage(2014, LogLevel.Warning, "Run {RunId}: {Text}")]
    public static partial void Evicted(ILogger log, string runId, string text);

    [LoggerMessage(2015, LogLevel.Information, "Run {RunId}: {Text}")]
    public static partial void GenerationStarted(ILogger log, string runId, string text);

    [LoggerMessage(2016, LogLevel.Debug, "Run {RunId}: dropped: {Text}")]
    public static partial void StaleMessage(ILogger log, string runId, string text);

    [LoggerMessage(2017, LogLevel.Warning, "Run {RunId}: {Text}")]
    public static partial void RunWarning(ILogger log, string runId, string text);

    [LoggerMessage(2018, LogLevel.Information, "Run {RunId} ended {Condition}: {Reason}")]
    public static partial void RunEnded(ILogger log, string runId, string condition, string reason);

    [LoggerMessage(2019, LogLevel.Error, "Run {RunId}: {What} failed: {Reason}")]
    public static partial void ActionFailed(ILogger log, string runId, string what, string reason);

    [LoggerMessage(2020, LogLevel.Warning, "Run {RunId}: checkpoint passed over: {Reason}")]
    public static partial void CheckpointPassedOver(ILogger log, string runId, string reason);

    [LoggerMessage(2021, LogLevel.Critical, "Run {RunId}: the run logic failed at {Event}")]
    public static partial void MachineFault(ILogger log, Exception fault, string runId, string @event);

    [LoggerMessage(2030, LogLevel.Debug, "Session {Session} of {WorkerId} at {Peer} opened")]
    public static partial void SessionOpened(ILogger log, long session, string workerId, string peer);

    [LoggerMessage(2031, LogLevel.Debug, "Session {Session} of {WorkerId} closed: {Reason}")]
    public static partial void SessionClosed(ILogger log, long session, string workerId, string reason);

    [LoggerMessage(2032, LogLevel.Warning, "Session {Session} of {WorkerId} is closed: it does not read what it is sent")]
    public static partial void SessionOverflow(ILogger log, long session, string workerId);
}
