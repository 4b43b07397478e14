using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;

namespace AdderNet.Protos.Rpc;

/// <summary>One call in progress: the request on its way, the responses, and the one status that it ends with.</summary>
internal sealed class ClientCall<TRequest, TResponse> : IAsyncDisposable
{
    private const int Idle = 0;
    private const int Reading = 1;
    private const int Released = 2;

    private readonly RpcChannel _channel;
    private readonly RpcMethod<TRequest, TResponse> _method;
    private readonly RpcCallOptions _options;
    private readonly CancellationToken _caller;
    private readonly CancellationTokenSource? _deadline;
    private readonly CancellationTokenSource _stop;
    private readonly long _started;
    private readonly int _maxReceive;
    private Activity? _activity;
    private Task<HttpResponseMessage>? _response;
    private CancellationTokenRegistration _abort;
    private FrameReader<TResponse>? _reader;
    private bool _ended;
    private int _reading;
    private int _recorded;
    private int _disposed;

    public ClientCall(RpcChannel channel, RpcMethod<TRequest, TResponse> method, RpcCallOptions? options, CancellationToken caller)
    {
        _channel = channel;
        _method = method;
        _options = options ?? new RpcCallOptions();
        _caller = caller;
        _maxReceive = _options.MaxReceiveMessageBytes ?? channel.Options.MaxReceiveMessageBytes;
        _started = channel.Options.TimeProvider.GetTimestamp();
        if (_options.Deadline is { } deadline)
            _deadline = new CancellationTokenSource(Clamp(deadline), channel.Options.TimeProvider);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(caller, channel.Closed, _deadline?.Token ?? CancellationToken.None);
        Token = _stop.Token;
    }

    /// <summary>Cancelled by the caller, the deadline, the channel's end or this call's.</summary>
    public CancellationToken Token { get; }

    public void Start(HttpContent content)
    {
        Activity? before = Activity.Current;
        _activity = RpcTelemetry.Source.StartActivity(_method.FullName, ActivityKind.Client);
        RpcTelemetry.Started("client", _method.FullName);
        _response = SendAsync(content);
        Activity.Current = before;
    }

    /// <summary>Cancels this call when the token is cancelled, for as long as the registration lives.</summary>
    public CancellationTokenRegistration CancelWith(CancellationToken token)
        => token.UnsafeRegister(static call => ((ClientCall<TRequest, TResponse>)call!).Cancel(), this);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ReceivedFrame<TResponse>> ReadAsync(CancellationToken cancellationToken)
    {
        switch (Interlocked.CompareExchange(ref _reading, Reading, Idle))
        {
            case Reading:
                throw new InvalidOperationException($"the responses of {_method.FullName} are being read already; a call has one reader");
            case Released:
                throw Translate(new ObjectDisposedException(_method.FullName), cancellationToken);
        }
        using CancellationTokenRegistration cancel = cancellationToken == _caller ? default : CancelWith(cancellationToken);
        try
        {
            if (_ended)
                return new ReceivedFrame<TResponse>(End: true, default!);
            HttpResponseMessage response = await _response!.ConfigureAwait(false);
            _reader ??= await OpenAsync(response).ConfigureAwait(false);
            ReceivedFrame<TResponse> frame = _ended
                ? new ReceivedFrame<TResponse>(End: true, default!)
                : await _reader!.ReadAsync(Token).ConfigureAwait(false);
            if (frame.End && !_ended)
            {
                _ended = true;
                TakeStatus(response.TrailingHeaders);
            }
            return frame;
        }
        catch (Exception e)
        {
            throw Translate(e, cancellationToken);
        }
        finally
        {
            Volatile.Write(ref _reading, Idle);
        }
    }

    public async Task<TResponse> ReadSingleAsync(CancellationToken cancellationToken)
    {
        ReceivedFrame<TResponse> first = await ReadAsync(cancellationToken).ConfigureAwait(false);
        if (first.End)
            throw new RpcException(RpcStatusCode.Unimplemented, $"{_method.FullName} ended OK without the one response it must give");
        ReceivedFrame<TResponse> second = await ReadAsync(cancellationToken).ConfigureAwait(false);
        if (!second.End)
            throw new RpcException(RpcStatusCode.Unimplemented, $"{_method.FullName} gave more than the one response it must give");
        return first.Message;
    }

    /// <summary>What a failure means to the caller whose token is given; it is also the status recorded for the call.</summary>
    public Exception Translate(Exception failure, CancellationToken token)
    {
        if (failure is RpcException status)
            return Record(status);
        if (token.IsCancellationRequested || _caller.IsCancellationRequested)
        {
            CancellationToken by = token.IsCancellationRequested ? token : _caller;
            Record(RpcStatusCode.Cancelled, "cancelled by the caller");
            return new OperationCanceledException($"the call of {_method.FullName} was cancelled", failure, by);
        }
        if (_deadline is { IsCancellationRequested: true })
            return Record(new RpcException(RpcStatusCode.DeadlineExceeded, $"{_method.FullName} did not end within {_options.Deadline}", innerException: failure));
        if (Token.IsCancellationRequested)
            return Record(new RpcException(RpcStatusCode.Cancelled, $"the call of {_method.FullName} was closed on this side", innerException: failure));
        return Record(StatusMapping.FromTransport(failure, _channel.Address));
    }

    /// <summary>As <see cref="Translate"/>, but a body that the server stopped reading says nothing of the status: that comes with the responses.</summary>
    public Exception TranslateWrite(Exception failure, CancellationToken token)
    {
        if (token.IsCancellationRequested || Token.IsCancellationRequested || _response is { IsFaulted: true })
            return Translate(failure, token);
        return new RpcException(RpcStatusCode.Unavailable, $"{_method.FullName} takes no more messages: the other side ended the call", innerException: failure);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        if (!_ended)
            await _stop.CancelAsync().ConfigureAwait(false);
        try
        {
            if (_response is not null)
                (await _response.ConfigureAwait(false)).Dispose();
        }
        catch (Exception)
        {
            // The call failed, with whatever a peer's bytes made of the transport: whoever read it was told.
        }
        await _abort.DisposeAsync().ConfigureAwait(false);
        // A read still in progress is failing now; its buffers are then left to the garbage collector.
        if (Interlocked.CompareExchange(ref _reading, Released, Idle) == Idle)
            _reader?.Dispose();
        Record(_ended ? RpcStatusCode.Ok : RpcStatusCode.Cancelled, "left by the caller");
        _stop.Dispose();
        _deadline?.Dispose();
    }

    private void Cancel()
    {
        try
        {
            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The call has ended meanwhile: there is nothing left to cancel.
        }
    }

    private static TimeSpan Clamp(TimeSpan deadline)
        => deadline < TimeSpan.Zero ? TimeSpan.Zero : deadline > TimeSpan.FromDays(40) ? TimeSpan.FromDays(40) : deadline;

    private async Task<HttpResponseMessage> SendAsync(HttpContent content)
    {
        try
        {
            HttpResponseMessage response = await _channel.SendAsync(CreateRequest(content), Token).ConfigureAwait(false);
            // Once the headers are here, only closing the response resets the stream at the server.
            _abort = Token.UnsafeRegister(static r => ((HttpResponseMessage)r!).Dispose(), response);
            return response;
        }
        catch (Exception e)
        {
            (content as StreamedContent)?.Fail(e);
            throw;
        }
    }

    private HttpRequestMessage CreateRequest(HttpContent content)
    {
        content.Headers.ContentType = new MediaTypeHeaderValue(GrpcHeader.ContentType);
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_channel.Address, _method.Path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        request.Headers.TryAddWithoutValidation("user-agent", "addernet-rpc/1");
        request.Headers.TryAddWithoutValidation(GrpcHeader.AcceptEncoding, GrpcHeader.Identity);
        if (_options.Deadline is { } deadline)
            request.Headers.TryAddWithoutValidation(GrpcHeader.Timeout, GrpcTimeout.Format(Clamp(deadline)));
        foreach (RpcMetadataEntry entry in _options.Metadata ?? [])
            request.Headers.TryAddWithoutValidation(entry.Key, MetadataHeaders.Encode(entry));
        if (Activity.Current is { IdFormat: ActivityIdFormat.W3C } current && _options.Metadata?.Text(GrpcHeader.TraceParent) is null)
        {
            request.Headers.TryAddWithoutValidation(GrpcHeader.TraceParent, current.Id);
            if (!string.IsNullOrEmpty(current.TraceStateString))
                request.Headers.TryAddWithoutValidation(GrpcHeader.TraceState, current.TraceStateString);
        }
        return request;
    }

    private async Task<FrameReader<TResponse>?> OpenAsync(HttpResponseMessage response)
    {
        if (response.Headers.NonValidated.Contains(GrpcHeader.Status))
        {
            _ended = true;
            TakeStatus(response.Headers);
            return null;
        }
        if (response.StatusCode != HttpStatusCode.OK)
            throw new RpcException(StatusMapping.FromHttpStatus(response.StatusCode), $"{_channel.Address} answered with HTTP status {(int)response.StatusCode} instead of gRPC");
        string? contentType = response.Content.Headers.ContentType?.ToString();
        if (!GrpcHeader.IsGrpc(contentType))
            throw new RpcException(RpcStatusCode.Unknown, $"{_channel.Address} answered with content type '{contentType}' instead of {GrpcHeader.ContentType}");
        _options.OnHeaders?.Invoke(ReadMetadata(response.Headers));
        Stream stream = await response.Content.ReadAsStreamAsync(Token).ConfigureAwait(false);
        return new FrameReader<TResponse>(stream, _method.ResponseMarshaller, _maxReceive);
    }

    private void TakeStatus(HttpResponseHeaders headers)
    {
        if (!headers.NonValidated.TryGetValues(GrpcHeader.Status, out HeaderStringValues values))
            throw new RpcException(RpcStatusCode.Internal, $"{_channel.Address} ended {_method.FullName} without a gRPC status");
        RpcMetadata trailers = ReadMetadata(headers);
        _options.OnTrailers?.Invoke(trailers);
        RpcStatusCode code = StatusMapping.Parse(values.ToString());
        if (code == RpcStatusCode.Ok)
        {
            Record(RpcStatusCode.Ok, null);
            return;
        }
        string detail = headers.NonValidated.TryGetValues(GrpcHeader.Message, out HeaderStringValues message)
            ? PercentEncoding.Decode(message.ToString())
            : "";
        throw new RpcException(code, detail, trailers);
    }

    private static RpcMetadata ReadMetadata(HttpResponseHeaders headers)
    {
        var metadata = new RpcMetadata();
        foreach (KeyValuePair<string, HeaderStringValues> header in headers.NonValidated)
            MetadataHeaders.Read(header.Key, header.Value, metadata);
        return metadata;
    }

    private RpcException Record(RpcException status)
    {
        Record(status.Code, status.Detail);
        return status;
    }

    private void Record(RpcStatusCode code, string? detail)
    {
        if (Interlocked.Exchange(ref _recorded, 1) != 0)
            return;
        RpcTelemetry.Ended("client", _method.FullName, code, _channel.Options.TimeProvider.GetElapsedTime(_started));
        RpcTelemetry.Close(_activity, code, detail);
    }
}
