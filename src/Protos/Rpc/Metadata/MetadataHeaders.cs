namespace AdderNet.Protos.Rpc;

/// <summary>Metadata as HTTP headers: binary values are base64, in one header or several joined by commas.</summary>
internal static class MetadataHeaders
{
    public static bool IsTransportHeader(string key)
        => key.StartsWith(':') || (key.StartsWith("grpc-", StringComparison.OrdinalIgnoreCase) && !IsStatusDetails(key)) || key.ToLowerInvariant() is
            "te" or "content-type" or "content-length" or "host" or "connection" or "transfer-encoding" or "user-agent"
            or "date" or "server" or "upgrade" or "keep-alive" or "proxy-connection" or "trailer";

    /// <summary>The one <c>grpc-</c> name that is the services': a <c>google.rpc.Status</c> that says more of an error.</summary>
    private static bool IsStatusDetails(string key) => key.Equals("grpc-status-details-bin", StringComparison.OrdinalIgnoreCase);

    public static string Encode(RpcMetadataEntry entry)
        => entry.Text ?? Convert.ToBase64String(entry.Bytes.Span).TrimEnd('=');

    /// <summary>Adds what one received header holds; headers of the transport are left out.</summary>
    /// <exception cref="RpcException">A binary header is not base64.</exception>
    public static void Read(string key, IEnumerable<string?> values, RpcMetadata into)
    {
        if (IsTransportHeader(key))
            return;
        key = key.ToLowerInvariant();
        bool binary = RpcMetadata.IsBinary(key);
        foreach (string? value in values)
        {
            if (!binary)
            {
                into.AddReceived(new RpcMetadataEntry(key, value ?? "", default));
                continue;
            }
            foreach (string part in (value ?? "").Split(','))
                into.AddReceived(new RpcMetadataEntry(key, null, Decode(key, part.Trim())));
        }
    }

    private static byte[] Decode(string key, string text)
    {
        string bare = text.TrimEnd('=');
        byte[] bytes = new byte[bare.Length];
        if (!Convert.TryFromBase64String(bare.PadRight((bare.Length + 3) / 4 * 4, '='), bytes, out int count))
            throw new RpcException(RpcStatusCode.Internal, $"metadata '{key}' is not base64");
        return bytes[..count];
    }
}
