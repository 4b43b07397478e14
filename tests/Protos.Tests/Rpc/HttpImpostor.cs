using AdderNet.Protos.Rpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace AdderNet.Protos.Tests.Rpc;

/// <summary>An HTTP/2 server that answers as no gRPC server would, and a channel to it.</summary>
internal sealed class HttpImpostor : IAsyncDisposable
{
    private readonly WebApplication _app;

    private HttpImpostor(WebApplication app, RpcChannel channel)
    {
        _app = app;
        Channel = channel;
    }

    public RpcChannel Channel { get; }

    public static async Task<HttpImpostor> StartAsync(RequestDelegate answer)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(System.Net.IPAddress.Loopback, 0, e => e.Protocols = HttpProtocols.Http2));
        WebApplication app = builder.Build();
        app.Run(answer);
        await app.StartAsync();
        return new HttpImpostor(app, RpcChannel.Create(new Uri(app.Urls.First())));
    }

    public async ValueTask DisposeAsync()
    {
        await Channel.DisposeAsync();
        await _app.DisposeAsync();
    }
}
