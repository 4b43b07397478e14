using Microsoft.Extensions.Logging;

namespace AdderNet.Coordinator.Silos;

internal static partial class SiloLog
{
    [LoggerMessage(2300, LogLevel.Information, "silo {Silo} of cluster {Cluster} is up")]
    public static partial void Up(ILogger log, string silo, string cluster);

    [LoggerMessage(2301, LogLevel.Warning, "run {RunId} is not reached, its sessions here are ended so that its workers come again: {Why}")]
    public static partial void RunNotReached(ILogger log, string runId, string why);

    [LoggerMessage(2302, LogLevel.Warning, "the catalogue of runs is not reached: {Why}")]
    public static partial void CatalogNotReached(ILogger log, string why);

    [LoggerMessage(2303, LogLevel.Warning, "run {RunId} is let go of here: {Why}")]
    public static partial void RunLetGo(ILogger log, string runId, string why);

    [LoggerMessage(2304, LogLevel.Warning, "run {RunId} cannot be driven: {Why}")]
    public static partial void RunNotDriven(ILogger log, string runId, string why);

    [LoggerMessage(2305, LogLevel.Error, "this silo cannot go on: {Why}")]
    public static partial void Fatal(ILogger log, string why);
}
