using Microsoft.Extensions.Logging;

namespace AdderNet.Protos.Rpc;

/// <summary>What the transport logs; event ids 5000 to 5099.</summary>
internal static partial class RpcLog
{
    [LoggerMessage(5000, LogLevel.Information, "Listening on {Address}")]
    public static partial void Listening(ILogger logger, Uri address);

    [LoggerMessage(5001, LogLevel.Debug, "{Method} ended with {Status} {Detail}")]
    public static partial void Ended(ILogger logger, string method, RpcStatusCode status, string detail);

    [LoggerMessage(5002, LogLevel.Error, "The handler of {Method} failed")]
    public static partial void HandlerFailed(ILogger logger, string method, Exception exception);

    [LoggerMessage(5003, LogLevel.Warning, "Handlers did not return within {Grace} of being cancelled; the server stops without them")]
    public static partial void HandlersLeft(ILogger logger, TimeSpan grace);

    [LoggerMessage(5004, LogLevel.Debug, "Connection {Connection} was closed before it said which protocol it speaks: {Reason}")]
    public static partial void Unrecognised(ILogger logger, string connection, string reason);

    [LoggerMessage(5005, LogLevel.Error, "Accepting connections on {Address} ended")]
    public static partial void AcceptFailed(ILogger logger, string address, Exception exception);

    [LoggerMessage(5006, LogLevel.Warning, "Peer {Peer} sent what {Method} does not take: {Status} {Detail}")]
    public static partial void Refused(ILogger logger, string peer, string method, RpcStatusCode status, string detail);

    [LoggerMessage(5007, LogLevel.Warning, "Peer {Peer} lost its call of {Method}: {Detail}")]
    public static partial void Untaken(ILogger logger, string peer, string method, string detail);
}
