namespace AdderNet.Protos.Rpc;

/// <summary>What one call asks of the transport.</summary>
public sealed record RpcCallOptions
{
    /// <summary>Time from now until the call ends with <see cref="RpcStatusCode.DeadlineExceeded"/> on both sides; null: none.</summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>Metadata sent with the call.</summary>
    public RpcMetadata? Metadata { get; init; }

    /// <summary>Largest response message accepted, in bytes; null: the channel's.</summary>
    public int? MaxReceiveMessageBytes { get; init; }

    /// <summary>Called once with the metadata that the server sent ahead of its first message.</summary>
    public Action<RpcMetadata>? OnHeaders { get; init; }

    /// <summary>Called once with the metadata that came with the final status, OK or not.</summary>
    public Action<RpcMetadata>? OnTrailers { get; init; }
}
