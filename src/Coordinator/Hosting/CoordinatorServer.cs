using AdderNet.Protos.Rpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AdderNet.Coordinator.Hosting;

/// <summary>The port of a coordinator: the gRPC service, and /healthz and /readyz beside it.</summary>
internal static class CoordinatorServer
{
    /// <param name="options">Where to listen.</param>
    /// <param name="service">What answers.</param>
    /// <param name="isReady">Whether runs can be decided on now.</param>
    /// <param name="loggers">Where to log.</param>
    /// <param name="cancellation">Ends the start.</param>
    /// <exception cref="RpcListenException">The address is not valid, taken or not this machine's.</exception>
    public static Task<RpcServer> StartAsync(
        CoordinatorOptions options, CoordinationService service, Func<bool> isReady, ILoggerFactory loggers, CancellationToken cancellation) =>
        RpcServer.StartAsync(
            new RpcServerOptions
            {
                Listen = options.Listen,
                Services = [service],
                Routes = routes =>
                {
                    routes.MapGet("/healthz", (RequestDelegate)(http => http.Response.WriteAsync("alive\n")));
                    routes.MapGet("/readyz", (RequestDelegate)(http => AnswerReadyAsync(http, isReady())));
                },
                Certificate = options.Certificate,
                ClientRoots = options.ClientRoots,
                LoggerFactory = loggers,
                TimeProvider = options.TimeProvider,
            },
            cancellation);

    private static Task AnswerReadyAsync(HttpContext http, bool ready)
    {
        http.Response.StatusCode = ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        return http.Response.WriteAsync(ready ? "ready\n" : "not ready: the store is lost or cannot be reached, or the coordinator stops\n");
    }
}
