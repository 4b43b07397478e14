namespace AdderNet.Protos.Rpc;

/// <summary>Where a handler writes its responses. Any number of writers at once: their messages do not mix.</summary>
public interface IRpcWriter<in T>
{
    /// <summary>Sends one message; returns when the transport has taken it, which it does no faster than the client reads.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled or the call has ended.</exception>
    ValueTask WriteAsync(T message, CancellationToken cancellationToken = default);
}
