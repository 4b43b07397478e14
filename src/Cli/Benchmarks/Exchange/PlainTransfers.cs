using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using AdderNet.Protos.Rpc;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace AdderNet.Cli.Benchmarks.Exchange;

/// <summary>
/// What the exchange is laid beside: as many bytes as a bare HTTP/2 response and over a plain TCP stream, sent from one buffer
/// and thrown away on receipt; and a vector into another by a bare HTTP/2 response and by a straightforward gRPC stream of protobuf
/// messages with one <c>bytes</c> field, through the same server and channel classes.
/// </summary>
internal sealed class PlainTransfers : IRpcService, IAsyncDisposable
{
    public const int Megabyte = 1 << 20;

    private static readonly RpcMethod<Int64Value, BytesValue> Stream =
        ProtobufMethod.Create("addernet.bench.Plain", nameof(Stream), RpcKind.ServerStreaming, Int64Value.Parser, BytesValue.Parser);

    private static readonly byte[] Payload = new byte[Megabyte];

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly byte[] vector;
    private readonly Task serving;

    /// <param name="vector">What the gRPC stream sends: any number of its first bytes.</param>
    public PlainTransfers(byte[] vector)
    {
        this.vector = vector;
        listener.Start();
        serving = ServeAsync();
    }

    /// <summary>Where plain TCP is served.</summary>
    public int TcpPort => ((IPEndPoint)listener.LocalEndpoint).Port;

    public void Bind(RpcServiceBinder binder) => binder.ServerStreaming(Stream, async (wanted, writer, context) =>
    {
        for (var offset = 0; offset < wanted.Value; offset += Megabyte)
        {
            var part = ByteString.CopyFrom(vector, offset, (int)Math.Min(wanted.Value - offset, Megabyte));
            await writer.WriteAsync(new BytesValue { Value = part }, context.CancellationToken).ConfigureAwait(false);
        }
    });

    /// <summary>The routes of bare HTTP/2 responses: so many bytes from one small buffer, and the vector.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/bytes/{count:long}", (RequestDelegate)(async http =>
        {
            for (var left = long.Parse((string)http.Request.RouteValues["count"]!, System.Globalization.CultureInfo.InvariantCulture); left > 0; left -= Megabyte)
                await http.Response.BodyWriter.WriteAsync(Payload.AsMemory(0, (int)Math.Min(left, Megabyte)), http.RequestAborted).ConfigureAwait(false);
        }));
        routes.MapGet("/vector", (RequestDelegate)(async http =>
        {
            for (var offset = 0; offset < vector.Length; offset += Megabyte)
                await http.Response.BodyWriter.WriteAsync(vector.AsMemory(offset, Math.Min(vector.Length - offset, Megabyte)), http.RequestAborted).ConfigureAwait(false);
        }));
    }

    /// <summary>Takes so many bytes and throws them away.</summary>
    public static async Task ReadHttpAsync(HttpMessageInvoker client, Uri address, long bytes, CancellationToken cancellation)
    {
        using var response = await GetAsync(client, new Uri(address, $"/bytes/{bytes}"), cancellation).ConfigureAwait(false);
        await using var body = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        await DrainAsync(body, bytes, cancellation).ConfigureAwait(false);
    }

    /// <summary>Takes a vector into another.</summary>
    public static async Task ReadHttpAsync(HttpMessageInvoker client, Uri address, Memory<byte> into, CancellationToken cancellation)
    {
        using var response = await GetAsync(client, new Uri(address, "/vector"), cancellation).ConfigureAwait(false);
        await using var body = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        await body.ReadExactlyAsync(into, cancellation).ConfigureAwait(false);
    }

    public static async Task ReadTcpAsync(int port, long bytes, CancellationToken cancellation)
    {
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, port, cancellation).ConfigureAwait(false);
        var stream = client.GetStream();
        var wanted = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(wanted, bytes);
        await stream.WriteAsync(wanted, cancellation).ConfigureAwait(false);
        await DrainAsync(stream, bytes, cancellation).ConfigureAwait(false);
    }

    public static async Task ReadPlainAsync(RpcChannel channel, Memory<byte> into, CancellationToken cancellation)
    {
        var read = 0;
        await foreach (var message in channel.ServerStreamAsync(Stream, new Int64Value { Value = into.Length }, null, cancellation).ConfigureAwait(false))
        {
            message.Value.Span.CopyTo(into.Span[read..]);
            read += message.Value.Length;
        }

        if (read < into.Length)
            throw new IOException($"{read} of {into.Length} bytes came");
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync().ConfigureAwait(false);
        await serving.ConfigureAwait(false);
        listener.Dispose();
        stop.Dispose();
    }

    private static async Task<HttpResponseMessage> GetAsync(HttpMessageInvoker client, Uri what, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, what) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        return await client.SendAsync(request, cancellation).ConfigureAwait(false);
    }

    private static async Task DrainAsync(Stream from, long bytes, CancellationToken cancellation)
    {
        var buffer = new byte[Megabyte];
        while (bytes > 0)
        {
            var read = await from.ReadAsync(buffer.AsMemory(0, (int)Math.Min(bytes, Megabyte)), cancellation).ConfigureAwait(false);
            if (read == 0)
                throw new IOException($"the stream ended {bytes} bytes too early");
            bytes -= read;
        }
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var client = await listener.AcceptTcpClientAsync(stop.Token).ConfigureAwait(false);
                client.NoDelay = true;
                var stream = client.GetStream();
                var wanted = new byte[sizeof(long)];
                await stream.ReadExactlyAsync(wanted, stop.Token).ConfigureAwait(false);
                for (var left = BinaryPrimitives.ReadInt64LittleEndian(wanted); left > 0; left -= Megabyte)
                    await stream.WriteAsync(Payload.AsMemory(0, (int)Math.Min(left, Megabyte)), stop.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }
}
