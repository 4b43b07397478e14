using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace AdderNet.Protos.Tests.Rpc;

/// <summary>HTTP/2 spoken by hand, so that it can be spoken wrongly.</summary>
internal sealed class RawHttp2 : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    public static async Task<RawHttp2> ConnectAsync(int port, bool preface)
    {
        var raw = new RawHttp2();
        await raw._socket.ConnectAsync(IPAddress.Loopback, port);
        if (preface)
        {
            await raw.SendAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray());
            await raw.SendFrameAsync(type: 4, flags: 0, stream: 0, []);
        }
        return raw;
    }

    public async Task SendAsync(byte[] bytes)
    {
        try
        {
            await _socket.SendAsync(bytes);
        }
        catch (SocketException)
        {
            // The server may close as soon as it has seen enough.
        }
    }

    public Task SendFrameAsync(byte type, byte flags, int stream, byte[] payload)
    {
        byte[] frame = new byte[9 + payload.Length];
        frame[0] = (byte)(payload.Length >> 16);
        frame[1] = (byte)(payload.Length >> 8);
        frame[2] = (byte)payload.Length;
        frame[3] = type;
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame, 9);
        return SendAsync(frame);
    }

    /// <summary>Opens a call: HEADERS with literal fields, without end of stream.</summary>
    public Task SendCallAsync(int stream, string path)
    {
        var block = new List<byte>();
        foreach ((string name, string value) in new[]
        {
            (":method", "POST"), (":scheme", "http"), (":authority", "x"), (":path", path), ("content-type", "application/grpc"), ("te", "trailers"),
        })
        {
            block.Add(0);
            block.Add((byte)name.Length);
            block.AddRange(Encoding.ASCII.GetBytes(name));
            block.Add((byte)value.Length);
            block.AddRange(Encoding.ASCII.GetBytes(value));
        }
        return SendFrameAsync(type: 1, flags: 4, stream, [.. block]);
    }

    public void EndSending()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // Closed already.
        }
    }

    /// <summary>Reads until these bytes have come in a row.</summary>
    public async Task ReadUntilAsync(byte[] expected)
    {
        var received = new List<byte>();
        byte[] buffer = new byte[4096];
        while (received.ToArray().AsSpan().IndexOf(expected) < 0)
        {
            int count = await _socket.ReceiveAsync(buffer);
            if (count == 0)
                throw new InvalidOperationException("the server closed the connection");
            received.AddRange(buffer[..count]);
        }
    }

    public async Task ReadToEndAsync()
    {
        byte[] buffer = new byte[4096];
        try
        {
            while (await _socket.ReceiveAsync(buffer) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // A reset ends the connection too.
        }
    }

    public void Dispose() => _socket.Dispose();
}
