using System.Net;
using System.Net.Sockets;

namespace AdderNet.Protos.Rpc;

/// <summary>
/// The bytes of one connection to a server. <see cref="System.Net.Http.SocketsHttpHandler"/> asks for no bytes before it asks for a frame, so that a connection
/// without traffic holds no buffer: a call to the system for each 16 KiB that arrive, a twentieth of an exchange's time. Such a read is answered
/// at once here; a connection then holds its 16 KiB always.
/// </summary>
internal sealed class ConnectionStream : NetworkStream
{
    private ConnectionStream(Socket socket)
        : base(socket, ownsSocket: true)
    {
    }

    /// <summary>Connects to the first address of the name that answers.</summary>
    /// <exception cref="SocketException">None does.</exception>
    public static async ValueTask<Stream> ConnectAsync(DnsEndPoint server, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(server, cancellationToken).ConfigureAwait(false);
            return new ConnectionStream(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        => buffer.IsEmpty ? ValueTask.FromResult(0) : base.ReadAsync(buffer, cancellationToken);
}
