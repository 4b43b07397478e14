using System.Runtime.CompilerServices;
using System.Threading.Channels;
using AdderNet.Protos.Rpc;
using Google.Protobuf.WellKnownTypes;

namespace AdderNet.Protos.Tests.Rpc;

/// <summary>The service that most tests call, in each of the four kinds.</summary>
internal static class EchoMethods
{
    public const string Service = "addernet.test.Echo";

    public static readonly RpcMethod<BytesValue, BytesValue> Say = Create("Say", RpcKind.Unary);
    public static readonly RpcMethod<BytesValue, BytesValue> Count = Create("Count", RpcKind.ServerStreaming);
    public static readonly RpcMethod<BytesValue, BytesValue> Join = Create("Join", RpcKind.ClientStreaming);
    public static readonly RpcMethod<BytesValue, BytesValue> Chat = Create("Chat", RpcKind.Duplex);
    public static readonly RpcMethod<BytesValue, BytesValue> Hang = Create("Hang", RpcKind.Unary);
    public static readonly RpcMethod<BytesValue, BytesValue> Fail = Create("Fail", RpcKind.Unary);
    public static readonly RpcMethod<BytesValue, BytesValue> Crash = Create("Crash", RpcKind.Unary);
    public static readonly RpcMethod<BytesValue, BytesValue> Missing = Create("Missing", RpcKind.Unary);

    private static RpcMethod<BytesValue, BytesValue> Create(string name, RpcKind kind)
        => ProtobufMethod.Create(Service, name, kind, BytesValue.Parser, BytesValue.Parser);
}

/// <summary>Answers with what it was sent; tells what happened to its calls.</summary>
internal sealed class EchoService(int? maxReceive = null) : IRpcService
{
    private readonly Channel<string> _events = Channel.CreateUnbounded<string>();

    /// <summary>The context of the last call.</summary>
    public RpcServerContext? Last { get; private set; }

    /// <summary>Run with the context of each unary call before it is answered.</summary>
    public Action<RpcServerContext>? OnSay { get; set; }

    public void Bind(RpcServiceBinder binder)
    {
        if (maxReceive is { } limit)
            binder.MaxReceiveMessageBytes = limit;
        binder.Unary(EchoMethods.Say, (request, context) =>
        {
            Last = context;
            OnSay?.Invoke(context);
            return Task.FromResult(request);
        });
        binder.ServerStreaming(EchoMethods.Count, CountAsync);
        binder.ClientStreaming(EchoMethods.Join, JoinAsync);
        binder.Duplex(EchoMethods.Chat, ChatAsync);
        binder.Unary(EchoMethods.Hang, HangAsync);
        binder.Unary(EchoMethods.Fail, (_, _) => throw new RpcException(RpcStatusCode.FailedPrecondition, "lo que falta: 100 % del año\n",
            new RpcMetadata { { "cause", "test" }, { "cause-bin", new byte[] { 0, 255, 7 } }, { "grpc-status-details-bin", new byte[] { 8, 9, 18, 0 } } }));
        binder.Unary(EchoMethods.Crash, (_, _) => throw new InvalidOperationException("secret of the server"));
    }

    /// <summary>The next thing that happened to a call: <c>hanging</c>, <c>cancelled</c>, <c>gone</c>, <c>ended</c>.</summary>
    public async Task<string> NextEventAsync() => await _events.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1));

    private async Task CountAsync(BytesValue request, IRpcWriter<BytesValue> responses, RpcServerContext context)
    {
        Last = context;
        for (int i = 0; i < request.Value[0]; i++)
            await responses.WriteAsync(Messages.Of((byte)i));
        if (request.Value.Length > 1)
            throw new RpcException(RpcStatusCode.DataLoss, "the rest is lost");
    }

    private async Task<BytesValue> JoinAsync(IAsyncEnumerable<BytesValue> requests, RpcServerContext context)
    {
        var all = new List<byte>();
        await foreach (BytesValue request in requests)
        {
            if (request.Value.IsEmpty)
                throw new RpcException(RpcStatusCode.InvalidArgument, "an empty part");
            all.AddRange(request.Value.Span);
        }
        return Messages.Of([.. all]);
    }

    private async Task ChatAsync(IAsyncEnumerable<BytesValue> requests, IRpcWriter<BytesValue> responses, RpcServerContext context)
    {
        Last = context;
        try
        {
            await foreach (BytesValue request in requests)
                await responses.WriteAsync(request);
            _events.Writer.TryWrite("ended");
        }
        catch (OperationCanceledException)
        {
            _events.Writer.TryWrite("gone");
            throw;
        }
    }

    private async Task<BytesValue> HangAsync(BytesValue request, RpcServerContext context)
    {
        Last = context;
        _events.Writer.TryWrite("hanging");
        var never = new TaskCompletionSource();
        try
        {
            await never.Task.WaitAsync(context.CancellationToken);
        }
        catch (OperationCanceledException)
        {
            _events.Writer.TryWrite("cancelled");
            throw;
        }
        return request;
    }
}

internal static class Messages
{
    public static BytesValue Of(params byte[] bytes) => new() { Value = Google.Protobuf.ByteString.CopyFrom(bytes) };

    public static BytesValue OfSize(int bytes)
    {
        byte[] payload = new byte[bytes];
        for (int i = 0; i < payload.Length; i++)
            payload[i] = (byte)(i * 31 >> 3);
        return Of(payload);
    }

    public static async IAsyncEnumerable<BytesValue> Stream(IEnumerable<BytesValue> messages, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (BytesValue message in messages)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
            yield return message;
        }
    }
}
