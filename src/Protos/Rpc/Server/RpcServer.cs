using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace AdderNet.Protos.Rpc;

/// <summary>Offers services, and plain HTTP routes beside them, on one port.</summary>
public sealed class RpcServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly RpcServerOptions _options;
    private readonly ActiveCalls _active;
    private readonly ILogger _log;
    private readonly Lazy<Task> _stop;

    private RpcServer(WebApplication app, RpcServerOptions options, ActiveCalls active, ILogger log, Uri address)
    {
        _app = app;
        _options = options;
        _active = active;
        _log = log;
        Address = address;
        _stop = new Lazy<Task>(StopOnceAsync);
    }

    /// <summary>Where the server listens: the address asked for, with the port that it got.</summary>
    public Uri Address { get; }

    /// <summary>Starts a server; it answers calls when this returns.</summary>
    /// <exception cref="RpcListenException">The address is not valid, taken or not this machine's.</exception>
    public static async Task<RpcServer> StartAsync(RpcServerOptions options, CancellationToken cancellationToken = default)
    {
        ListenAddress listen = await ListenAddress.ResolveAsync(options, cancellationToken).ConfigureAwait(false);
        ILogger log = options.LoggerFactory?.CreateLogger(RpcTelemetry.Name) ?? NullLogger.Instance;
        var active = new ActiveCalls();

        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(options.LoggerFactory ?? NullLoggerFactory.Instance);
        builder.Services.AddSingleton<IHostLifetime, EmbeddedLifetime>();
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = Timeout.InfiniteTimeSpan);
        builder.WebHost.UseKestrelCore();
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>, WideBlocks>(); // behind Kestrel's own: the last one counts
        var endpoints = new ServerEndpoints(options, listen, log);
        endpoints.Configure(builder);

        WebApplication app = builder.Build();
        try
        {
            var dispatcher = new RpcDispatcher(options, active, log, app.Lifetime.ApplicationStopping);
            app.Use(next => http => dispatcher.HandleAsync(http, next));
            options.Routes?.Invoke(app);
            await app.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            await app.DisposeAsync().ConfigureAwait(false);
            if (listen.Explain(e) is { } explained)
                throw explained;
            throw;
        }
        var server = new RpcServer(app, options, active, log, endpoints.BoundAddress(app));
        RpcLog.Listening(log, server.Address);
        return server;
    }

    /// <summary>
    /// Stops: no new connections and calls, <see cref="RpcServerContext.ServerStopping"/> is cancelled, calls in progress have the grace period
    /// to end and are then aborted. Returns when every handler has, or a second grace period later. Later calls await the first.
    /// </summary>
    public Task StopAsync() => _stop.Value;

    /// <summary>Stops as <see cref="StopAsync"/> does, and frees everything.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
    }

    private async Task StopOnceAsync()
    {
        using var grace = new CancellationTokenSource(_options.GracePeriod, _options.TimeProvider);
        try
        {
            await _app.StopAsync(grace.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The grace period is over and the connections were aborted.
        }
        try
        {
            await _active.WhenNoneAsync().WaitAsync(_options.GracePeriod, _options.TimeProvider).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            RpcLog.HandlersLeft(_log, _options.GracePeriod);
        }
    }

    /// <summary>The process belongs to the program around: its signals are not handled here.</summary>
    private sealed class EmbeddedLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
