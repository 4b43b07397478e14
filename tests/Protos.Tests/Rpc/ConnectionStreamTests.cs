using System.Net;
using System.Net.Sockets;
using AdderNet.Protos.Rpc;
using Xunit;

namespace AdderNet.Protos.Tests.Rpc;

public sealed class ConnectionStreamTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);

    public ConnectionStreamTests() => listener.Start();

    [Fact]
    public async Task A_read_of_nothing_does_not_wait_and_takes_nothing()
    {
        await using Stream stream = await ConnectAsync();
        using Socket peer = await listener.AcceptSocketAsync().WaitAsync(Patience);
        ValueTask<int> nothing = stream.ReadAsync(Memory<byte>.Empty);
        Assert.True(nothing.IsCompletedSuccessfully);
        Assert.Equal(0, await nothing);

        await peer.SendAsync(new byte[] { 7 });
        var received = new byte[1];
        await stream.ReadExactlyAsync(received).AsTask().WaitAsync(Patience);
        Assert.Equal(7, received[0]);
    }

    [Fact]
    public async Task The_end_of_the_connection_ends_a_read()
    {
        await using Stream stream = await ConnectAsync();
        using (await listener.AcceptSocketAsync().WaitAsync(Patience))
        {
        }

        Assert.Equal(0, await stream.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience));
    }

    [Fact]
    public async Task Nobody_there_is_told_as_by_any_socket()
    {
        listener.Stop();
        await Assert.ThrowsAsync<SocketException>(async () => await ConnectAsync());
    }

    public void Dispose() => listener.Dispose();

    private ValueTask<Stream> ConnectAsync() =>
        ConnectionStream.ConnectAsync(new DnsEndPoint("localhost", ((IPEndPoint)listener.LocalEndpoint).Port, AddressFamily.InterNetwork), CancellationToken.None);
}
