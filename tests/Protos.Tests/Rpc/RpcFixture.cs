using AdderNet.Protos.Rpc;
using Microsoft.AspNetCore.Builder;

namespace AdderNet.Protos.Tests.Rpc;

/// <summary>A server with the echo service, and a channel to it.</summary>
internal sealed class RpcFixture : IAsyncDisposable
{
    private RpcFixture(RpcServer server, RpcChannel channel, EchoService echo)
    {
        Server = server;
        Channel = channel;
        Echo = echo;
    }

    public RpcServer Server { get; }

    public RpcChannel Channel { get; }

    public EchoService Echo { get; }

    public static async Task<RpcFixture> StartAsync(
        Func<RpcServerOptions, RpcServerOptions>? server = null, RpcChannelOptions? channel = null, EchoService? service = null)
    {
        EchoService echo = service ?? new EchoService();
        var options = new RpcServerOptions
        {
            Listen = new Uri("http://127.0.0.1:0"),
            Services = [echo],
            Routes = routes => routes.Map("/healthz", () => "ok"),
            GracePeriod = TimeSpan.FromSeconds(2),
        };
        RpcServer started = await RpcServer.StartAsync(server?.Invoke(options) ?? options);
        return new RpcFixture(started, RpcChannel.Create(started.Address, channel), echo);
    }

    public async ValueTask DisposeAsync()
    {
        await Channel.DisposeAsync();
        await Server.DisposeAsync();
    }
}
