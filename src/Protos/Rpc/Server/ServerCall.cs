using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace AdderNet.Protos.Rpc;

/// <summary>One call being answered: its requests, its responses, and the status that ends it.</summary>
/// <param name="http">The request.</param>
/// <param name="context">What the handler sees of it.</param>
/// <param name="maxReceiveMessageBytes">Largest request.</param>
/// <param name="patience">Cancelled when the client does not take in a message; this call's to dispose.</param>
/// <param name="untaken">How long a message may wait for that.</param>
internal sealed class ServerCall(HttpContext http, RpcServerContext context, int maxReceiveMessageBytes, CancellationTokenSource patience, TimeSpan untaken) : IDisposable
{
    private readonly CancellationTokenRegistration _abort = patience.Token.UnsafeRegister(static http => ((HttpContext)http!).Abort(), http);
    private bool _wrote;

    public RpcServerContext Context { get; } = context;

    /// <summary>The client did not take in a message in time: the call was aborted.</summary>
    public bool IsUntaken => patience.IsCancellationRequested;

    /// <summary>The one request of a call that has one.</summary>
    public async Task<T> ReadSingleAsync<T>(IRpcMarshaller<T> marshaller)
    {
        using var reader = new FrameReader<T>(http.Request.Body, marshaller, maxReceiveMessageBytes);
        ReceivedFrame<T> first = await ReadAsync(reader, Context.CancellationToken).ConfigureAwait(false);
        if (first.End)
            throw new RpcException(RpcStatusCode.Unimplemented, $"{Context.Method} takes one request, and none came");
        ReceivedFrame<T> second = await ReadAsync(reader, Context.CancellationToken).ConfigureAwait(false);
        if (!second.End)
            throw new RpcException(RpcStatusCode.Unimplemented, $"{Context.Method} takes one request, and more came");
        return first.Message;
    }

    /// <summary>The requests as they come, until the client has no more.</summary>
    public async IAsyncEnumerable<T> ReadAllAsync<T>(
        IRpcMarshaller<T> marshaller, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, Context.CancellationToken);
        using var reader = new FrameReader<T>(http.Request.Body, marshaller, maxReceiveMessageBytes);
        while (await ReadAsync(reader, linked.Token).ConfigureAwait(false) is { End: false } frame)
            yield return frame.Message;
    }

    /// <summary>Runs a handler that writes its responses, and closes the writer behind it.</summary>
    public async Task RespondAsync<T>(IRpcMarshaller<T> marshaller, Func<IRpcWriter<T>, Task> handler)
    {
        var writer = new ResponseWriter<T>(this, marshaller);
        try
        {
            await handler(writer).ConfigureAwait(false);
        }
        finally
        {
            await writer.CloseAsync().ConfigureAwait(false);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask WriteAsync<T>(IRpcMarshaller<T> marshaller, T message, CancellationToken cancellationToken)
    {
        Begin();
        bool waits = false;
        try
        {
            ValueTask<int> sending = Frame.SendAsync(http.Response.BodyWriter, marshaller, message, cancellationToken);
            waits = !sending.IsCompleted;
            if (waits)
                patience.CancelAfter(untaken);
            RpcTelemetry.Sent("server", Context.Method, await sending.ConfigureAwait(false));
        }
        catch (Exception e) when (e is ConnectionAbortedException or IOException)
        {
            throw Gone(e);
        }
        finally
        {
            if (waits)
                patience.CancelAfter(Timeout.InfiniteTimeSpan);
        }
        // A flush to a client that has gone ends quietly; a stream to nobody must not go on.
        if (http.RequestAborted.IsCancellationRequested)
            throw Gone(null);
    }

    /// <summary>Writes without flushing: the message leaves together with the status.</summary>
    public void WriteLast<T>(IRpcMarshaller<T> marshaller, T message)
    {
        Begin();
        RpcTelemetry.Sent("server", Context.Method, Frame.Write(http.Response.BodyWriter, marshaller, message));
    }

    /// <summary>Sends the status: behind the messages, or as the only headers where there are none.</summary>
    public void End(RpcStatusCode code, string detail, RpcMetadata? more)
    {
        if (http.RequestAborted.IsCancellationRequested)
            return;
        IHeaderDictionary into;
        if (_wrote)
        {
            into = http.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers;
        }
        else
        {
            into = http.Response.Headers;
            Put(into, Context.ResponseHeaders);
        }
        Put(into, Context.ResponseTrailers);
        if (more is not null)
            Put(into, more);
        GrpcStatus.Write(into, code, detail);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _abort.Dispose();
        patience.Dispose();
    }

    /// <summary>Puts the handler's metadata ahead of the first message.</summary>
    private void Begin()
    {
        if (_wrote)
            return;
        _wrote = true;
        Put(http.Response.Headers, Context.ResponseHeaders);
    }

    private static async ValueTask<ReceivedFrame<T>> ReadAsync<T>(FrameReader<T> reader, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ConnectionResetException or ConnectionAbortedException or BadHttpRequestException or IOException)
        {
            throw Gone(e);
        }
    }

    private static OperationCanceledException Gone(Exception? cause) => new("the client cancelled the call or went away", cause);

    private static void Put(IHeaderDictionary headers, RpcMetadata metadata)
    {
        foreach (RpcMetadataEntry entry in metadata)
            headers.Append(entry.Key, MetadataHeaders.Encode(entry));
    }
}
