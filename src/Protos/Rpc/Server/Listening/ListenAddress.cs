using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace AdderNet.Protos.Rpc;

/// <summary>The address that a server was told to listen on, as a URL and as a socket address.</summary>
internal sealed record ListenAddress(Uri Url, IPEndPoint EndPoint)
{
    private const string Example = "http://127.0.0.1:0";

    public bool IsSecure => Url.Scheme == Uri.UriSchemeHttps;

    public static async Task<ListenAddress> ResolveAsync(RpcServerOptions options, CancellationToken cancellationToken)
    {
        Uri url = options.Listen;
        if (!url.IsAbsoluteUri || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps) || url.PathAndQuery != "/")
            throw new RpcListenException($"listen address '{url}' is not http://host:port or https://host:port; for example {Example}");
        if (url.Scheme == Uri.UriSchemeHttps && options.Certificate is null)
            throw new RpcListenException($"listen address '{url.GetLeftPart(UriPartial.Authority)}' needs a certificate; give one, or listen without, for example {Example}");
        if (IPAddress.TryParse(url.DnsSafeHost, out IPAddress? literal))
            return new ListenAddress(url, new IPEndPoint(literal, url.Port));
        try
        {
            IPAddress[] found = await Dns.GetHostAddressesAsync(url.DnsSafeHost, cancellationToken).ConfigureAwait(false);
            IPAddress chosen = found.FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork) ?? found[0];
            return new ListenAddress(url, new IPEndPoint(chosen, url.Port));
        }
        catch (SocketException e)
        {
            throw new RpcListenException($"listen address '{url.GetLeftPart(UriPartial.Authority)}': the name '{url.Host}' is not known here; use an address of this machine, for example {Example}", e);
        }
    }

    public Uri WithPort(int port) => new UriBuilder(Url) { Port = port }.Uri;

    /// <summary>A failure to listen in one line, or null for any other failure.</summary>
    public RpcListenException? Explain(Exception failure)
    {
        string shown = Url.GetLeftPart(UriPartial.Authority);
        for (Exception? e = failure; e is not null; e = e.InnerException)
        {
            if (e is AddressInUseException or SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse })
                return new RpcListenException($"address {shown} is in use; choose another with --listen, for example {Example}", failure);
            if (e is SocketException socket)
                return new RpcListenException($"cannot listen on {shown}: {socket.Message}; choose another address with --listen, for example {Example}", failure);
        }
        return null;
    }
}
