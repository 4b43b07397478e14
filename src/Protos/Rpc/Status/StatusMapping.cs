using System.Globalization;
using System.Net;

namespace AdderNet.Protos.Rpc;

/// <summary>What gRPC prescribes for failures that carry no gRPC status of their own.</summary>
internal static class StatusMapping
{
    private const long Http2NoError = 0;
    private const long Http2ProtocolError = 1;
    private const long Http2RefusedStream = 7;
    private const long Http2Cancel = 8;
    private const long Http2EnhanceYourCalm = 11;
    private const long Http2InadequateSecurity = 12;

    public static RpcStatusCode FromHttpStatus(HttpStatusCode status) => (int)status switch
    {
        400 => RpcStatusCode.Internal,
        401 => RpcStatusCode.Unauthenticated,
        403 => RpcStatusCode.PermissionDenied,
        404 => RpcStatusCode.Unimplemented,
        429 or 502 or 503 or 504 => RpcStatusCode.Unavailable,
        _ => RpcStatusCode.Unknown,
    };

    /// <remarks>
    /// gRPC makes PROTOCOL_ERROR on a stream Internal. HttpClient gives that code, indistinguishably, to a connection that it gave up itself
    /// because a ping was not answered, and that is by far the likelier: Unavailable.
    /// </remarks>
    public static RpcStatusCode FromHttp2Error(long code) => code switch
    {
        Http2NoError or Http2ProtocolError or Http2RefusedStream => RpcStatusCode.Unavailable,
        Http2Cancel => RpcStatusCode.Cancelled,
        Http2EnhanceYourCalm => RpcStatusCode.ResourceExhausted,
        Http2InadequateSecurity => RpcStatusCode.PermissionDenied,
        _ => RpcStatusCode.Internal,
    };

    /// <summary>What a transport failure on the client means to the caller.</summary>
    public static RpcException FromTransport(Exception failure, Uri address)
    {
        if (failure is RpcException known)
            return known;
        for (Exception? e = failure; e is not null; e = e.InnerException)
        {
            if (e is HttpProtocolException protocol)
            {
                return new RpcException(FromHttp2Error(protocol.ErrorCode),
                    $"the HTTP/2 call to {Show(address)} was broken off: {protocol.Message}", innerException: failure);
            }
        }
        return failure switch
        {
            HttpRequestException
            {
                HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
                or HttpRequestError.SecureConnectionError
            } e
                => new RpcException(RpcStatusCode.Unavailable, $"cannot reach {Show(address)}: {Innermost(e)}", innerException: e),
            HttpRequestException or IOException
                => new RpcException(RpcStatusCode.Unavailable, $"the connection to {Show(address)} was lost: {Innermost(failure)}", innerException: failure),
            OperationCanceledException
                => new RpcException(RpcStatusCode.Unavailable, $"the connection to {Show(address)} was given up: {Innermost(failure)}", innerException: failure),
            _ => new RpcException(RpcStatusCode.Internal, $"the call to {Show(address)} failed: {failure.Message}", innerException: failure),
        };
    }

    /// <summary>Reads the number of a <c>grpc-status</c> header; what is no number or none of gRPC's codes is Unknown.</summary>
    public static RpcStatusCode Parse(string text)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int code) && code <= (int)RpcStatusCode.Unauthenticated
            ? (RpcStatusCode)code
            : RpcStatusCode.Unknown;

    private static string Show(Uri address) => address.GetLeftPart(UriPartial.Authority);

    private static string Innermost(Exception e)
    {
        while (e.InnerException is { } inner)
            e = inner;
        return e.Message;
    }
}
