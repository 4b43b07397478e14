namespace AdderNet.Protos.Rpc;

/// <summary>Names and values that gRPC over HTTP/2 prescribes.</summary>
internal static class GrpcHeader
{
    public const string Status = "grpc-status";
    public const string Message = "grpc-message";
    public const string Timeout = "grpc-timeout";
    public const string AcceptEncoding = "grpc-accept-encoding";
    public const string Identity = "identity";
    public const string ContentType = "application/grpc";
    public const string TraceParent = "traceparent";
    public const string TraceState = "tracestate";

    /// <summary>Whether this is gRPC at all, in whatever format; <c>application/grpc-web</c> is another protocol.</summary>
    public static bool IsGrpc(string? contentType)
        => contentType is not null
            && contentType.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase)
            && (contentType.Length == ContentType.Length || contentType[ContentType.Length] is '+' or ';' or ' ');

    /// <summary>Whether this is gRPC in a format understood here.</summary>
    public static bool IsGrpcProto(string? contentType)
    {
        if (!IsGrpc(contentType))
            return false;
        string format = contentType![ContentType.Length..].Split(';')[0].Trim();
        return format.Length == 0 || format.Equals("+proto", StringComparison.OrdinalIgnoreCase);
    }
}
