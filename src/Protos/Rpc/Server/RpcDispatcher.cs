using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;

namespace AdderNet.Protos.Rpc;

/// <summary>Takes gRPC requests out of the stream of HTTP requests and runs each to its status.</summary>
internal sealed class RpcDispatcher
{
    private readonly Dictionary<string, ServerMethod> _methods = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationToken _stopping;
    private readonly ActiveCalls _active;
    private readonly TimeSpan _untaken;

    public RpcDispatcher(RpcServerOptions options, ActiveCalls active, ILogger log, CancellationToken stopping)
    {
        _time = options.TimeProvider;
        _active = active;
        _log = log;
        _stopping = stopping;
        _untaken = options.UntakenTimeout;
        foreach (IRpcService service in options.Services)
            service.Bind(new RpcServiceBinder(_methods, options.MaxReceiveMessageBytes));
    }

    /// <summary>Answers what is gRPC and passes on what is not.</summary>
    public Task HandleAsync(HttpContext http, RequestDelegate next)
    {
        bool known = _methods.TryGetValue(http.Request.Path.Value ?? "", out ServerMethod? method);
        bool grpc = GrpcHeader.IsGrpc(http.Request.ContentType);
        if (!known && !grpc)
            return next(http);
        if (known && !HttpMethods.IsPost(http.Request.Method))
            return Refuse(http, StatusCodes.Status405MethodNotAllowed);
        if (!GrpcHeader.IsGrpcProto(http.Request.ContentType))
            return Refuse(http, StatusCodes.Status415UnsupportedMediaType);
        if (!HttpProtocol.IsHttp2(http.Request.Protocol))
            return Refuse(http, StatusCodes.Status426UpgradeRequired);
        http.Response.ContentType = GrpcHeader.ContentType;
        if (method is null)
        {
            GrpcStatus.Write(http.Response.Headers, RpcStatusCode.Unimplemented, $"this server has no method {http.Request.Path.Value?.TrimStart('/')}");
            return Task.CompletedTask;
        }
        return CallAsync(http, method);
    }

    private static Task Refuse(HttpContext http, int status)
    {
        http.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    private async Task CallAsync(HttpContext http, ServerMethod method)
    {
        long started = _time.GetTimestamp();
        // Streams may rest for hours between two messages.
        if (http.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
            rate.MinDataRate = null;
        using ActiveCalls.Lease lease = _active.Enter();
        using Activity? activity = StartActivity(http, method);
        RpcTelemetry.Started("server", method.FullName);
        var metadata = new RpcMetadata();
        (RpcStatusCode Code, string Detail, RpcMetadata? Trailers) status;
        if (!TryReadHeaders(http, metadata, out TimeSpan? timeout, out string? problem))
        {
            status = (RpcStatusCode.Internal, problem!, null);
            GrpcStatus.Write(http.Response.Headers, status.Code, status.Detail);
        }
        else
        {
            using CancellationTokenSource? deadline = timeout is { } time ? new CancellationTokenSource(time, _time) : null;
            using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, deadline?.Token ?? CancellationToken.None);
            var context = new RpcServerContext(method.FullName, metadata, timeout is { } left ? _time.GetUtcNow() + left : null,
                $"{http.Connection.RemoteIpAddress}:{http.Connection.RemotePort}", http.Connection.ClientCertificate, cancelled.Token, _stopping);
            using var call = new ServerCall(http, context, method.MaxReceiveMessageBytes, new CancellationTokenSource(Timeout.InfiniteTimeSpan, _time), _untaken);
            status = await RunAsync(call, method, http, deadline).ConfigureAwait(false);
            call.End(status.Code, status.Detail, status.Trailers);
            if (status.Code is RpcStatusCode.Internal or RpcStatusCode.ResourceExhausted)
                RpcLog.Refused(_log, context.Peer, method.FullName, status.Code, status.Detail);
            else if (call.IsUntaken)
                RpcLog.Untaken(_log, context.Peer, method.FullName, status.Detail);
        }
        RpcLog.Ended(_log, method.FullName, status.Code, status.Detail);
        RpcTelemetry.Ended("server", method.FullName, status.Code, _time.GetElapsedTime(started));
        RpcTelemetry.Close(activity, status.Code, status.Detail);
    }

    private async Task<(RpcStatusCode Code, string Detail, RpcMetadata? Trailers)> RunAsync(
        ServerCall call, ServerMethod method, HttpContext http, CancellationTokenSource? deadline)
    {
        try
        {
            await method.Body(call).ConfigureAwait(false);
            return (RpcStatusCode.Ok, "", null);
        }
        catch (Exception) when (call.IsUntaken)
        {
            return (RpcStatusCode.Cancelled, $"it did not take in a message within {_untaken.TotalSeconds:0.#} s", null);
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            return (RpcStatusCode.Cancelled, "the client cancelled the call or went away", null);
        }
        catch (Exception) when (deadline is { IsCancellationRequested: true })
        {
            return (RpcStatusCode.DeadlineExceeded, $"{method.FullName} did not end within the client's deadline", null);
        }
        catch (RpcException e)
        {
            return (e.Code, e.Detail, e.Trailers);
        }
        catch (OperationCanceledException)
        {
            return _stopping.IsCancellationRequested
                ? (RpcStatusCode.Unavailable, "the server is stopping", null)
                : (RpcStatusCode.Cancelled, $"{method.FullName} was cancelled by the server", null);
        }
        catch (Exception e)
        {
            RpcLog.HandlerFailed(_log, method.FullName, e);
            return (RpcStatusCode.Unknown, $"{method.FullName} failed with {e.GetType().Name}; the server's log says more", null);
        }
    }

    private static bool TryReadHeaders(HttpContext http, RpcMetadata metadata, out TimeSpan? timeout, out string? problem)
    {
        timeout = null;
        problem = null;
        try
        {
            foreach ((string key, Microsoft.Extensions.Primitives.StringValues values) in http.Request.Headers)
                MetadataHeaders.Read(key, values, metadata);
        }
        catch (RpcException e)
        {
            problem = e.Detail;
            return false;
        }
        string? text = http.Request.Headers[GrpcHeader.Timeout];
        if (text is null)
            return true;
        if (!GrpcTimeout.TryParse(text, out TimeSpan parsed))
        {
            problem = $"grpc-timeout '{text}' is not valid; it is up to eight digits and a unit, for example 5S";
            return false;
        }
        timeout = parsed > MaxDeadline ? MaxDeadline : parsed;
        return true;
    }

    private static readonly TimeSpan MaxDeadline = TimeSpan.FromDays(40);

    /// <summary>The span of this call, under the client's; without a listener still an activity where the client has one, so that calls made within carry on its trace.</summary>
    private static Activity? StartActivity(HttpContext http, ServerMethod method)
    {
        string? parent = http.Request.Headers[GrpcHeader.TraceParent];
        string? state = http.Request.Headers[GrpcHeader.TraceState];
        if (parent is null || !ActivityContext.TryParse(parent, state, isRemote: true, out ActivityContext remote))
            return RpcTelemetry.Source.StartActivity(method.FullName, ActivityKind.Server);
        return RpcTelemetry.Source.StartActivity(method.FullName, ActivityKind.Server, remote)
            ?? new Activity(method.FullName) { TraceStateString = state }.SetParentId(remote.TraceId, remote.SpanId, remote.TraceFlags).Start();
    }
}
