using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AdderNet.Protos.Rpc;

/// <summary>
/// Sets up the port. With TLS the handshake says which HTTP version follows; in cleartext a <see cref="ProtocolSplitter"/> looks at the first bytes.
/// </summary>
internal sealed class ServerEndpoints(RpcServerOptions options, ListenAddress listen, ILogger log)
{
    private ProtocolSplitter? _splitter;

    public void Configure(WebApplicationBuilder builder)
    {
        if (!listen.IsSecure)
        {
            builder.Services.AddSingleton<IConnectionListenerFactory>(services =>
            {
                var sockets = new SocketTransportFactory(
                    services.GetRequiredService<IOptions<SocketTransportOptions>>(), services.GetRequiredService<ILoggerFactory>());
                return _splitter = new ProtocolSplitter(sockets, listen.EndPoint, options.FirstBytesTimeout, options.TimeProvider, log);
            });
        }
        builder.WebHost.ConfigureKestrel(Configure);
    }

    public Uri BoundAddress(WebApplication app)
    {
        if (_splitter is { } splitter)
            return listen.WithPort(((IPEndPoint)splitter.BoundEndPoint!).Port);
        string address = app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
        return listen.WithPort(new Uri(address).Port);
    }

    private void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        KestrelServerLimits limits = kestrel.Limits;
        limits.MaxRequestBodySize = null; // a stream has no length; each message has its limit
        limits.MinResponseDataRate = null; // a reader may pause for as long as its own work takes
        limits.MaxResponseBufferSize = 1024 * 1024;
        limits.Http2.MaxStreamsPerConnection = options.MaxCallsPerConnection;
        limits.Http2.InitialStreamWindowSize = options.StreamWindowBytes;
        limits.Http2.InitialConnectionWindowSize = Math.Max(options.ConnectionWindowBytes, options.StreamWindowBytes);
        limits.Http2.KeepAlivePingDelay = options.KeepAlivePingDelay;
        limits.Http2.KeepAlivePingTimeout = options.KeepAlivePingTimeout;
        if (!listen.IsSecure)
        {
            kestrel.Listen(new SplitEndPoint(listen.EndPoint, HttpProtocols.Http2), endpoint => endpoint.Protocols = HttpProtocols.Http2);
            kestrel.Listen(new SplitEndPoint(listen.EndPoint, HttpProtocols.Http1), endpoint => endpoint.Protocols = HttpProtocols.Http1);
            return;
        }
        kestrel.Listen(listen.EndPoint, endpoint =>
        {
            endpoint.Protocols = HttpProtocols.Http1AndHttp2;
            endpoint.UseHttps(Tls());
        });
    }

    private HttpsConnectionAdapterOptions Tls()
    {
        var tls = new HttpsConnectionAdapterOptions { ServerCertificate = options.Certificate };
        if (options.ClientRoots is { } roots)
        {
            tls.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            tls.OnAuthenticate = (_, ssl) => ssl.CertificateChainPolicy = CertificateTrust.To(roots);
        }
        return tls;
    }
}
