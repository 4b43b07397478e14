using System.Collections.Concurrent;
using AdderNet.Protos.Rpc;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace AdderNet.Protos.Tests.Rpc;

/// <summary>Clients that ask and then take in nothing, though their connection lives.</summary>
public sealed class UntakenMessageTests
{
    private const byte Data = 0, Settings = 4;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_client_that_never_takes_what_it_asked_for_loses_the_call_and_is_reported_in_one_line()
    {
        var log = new WarningLog();
        await using RpcFixture rpc = await RpcFixture.StartAsync(server: o => o with
        {
            Services = [.. o.Services, new Generous()],
            UntakenTimeout = TimeSpan.FromMilliseconds(500),
            LoggerFactory = log,
        });
        using RawHttp2 raw = await RawHttp2.ConnectAsync(rpc.Server.Address.Port, preface: true);
        await raw.SendFrameAsync(Settings, 0, 0, [0, 4, 0, 0, 0, 0]); // a window of nothing
        await raw.SendCallAsync(stream: 1, "/addernet.test.Generous/Give");
        await raw.SendFrameAsync(Data, 1, 1, new byte[5]);

        // A reset of stream 1, and only of that: the connection is as good as before.
        await raw.ReadUntilAsync([0, 0, 4, 3, 0, 0, 0, 0, 1]).WaitAsync(Patience);
        await raw.SendFrameAsync(type: 6, flags: 0, stream: 0, [1, 2, 3, 4, 5, 6, 7, 8]);
        await raw.ReadUntilAsync([0, 0, 8, 6, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]).WaitAsync(Patience);

        Assert.Equal(Messages.Of(1), await rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(1)).WaitAsync(Patience));
        await rpc.Server.DisposeAsync();
        string line = Assert.Single(log.Lines);
        Assert.Matches(@"^Peer 127\.0\.0\.1:\d+ lost its call of addernet\.test\.Generous/Give: it did not take in a message within 0\.5 s$", line);
    }

    /// <summary>Gives megabytes, more than the transport takes from it while nobody reads.</summary>
    private sealed class Generous : IRpcService
    {
        private static readonly RpcMethod<Empty, BytesValue> Give = ProtobufMethod.Create("addernet.test.Generous", nameof(Give), RpcKind.ServerStreaming, Empty.Parser, BytesValue.Parser);

        public void Bind(RpcServiceBinder binder) => binder.ServerStreaming(Give, async (_, responses, context) =>
        {
            for (int i = 0; i < 64; i++)
                await responses.WriteAsync(Messages.OfSize(1 << 20), context.CancellationToken);
        });
    }

    /// <summary>Keeps what is logged of calls as a warning or worse; Kestrel warns of a slow machine.</summary>
    private sealed class WarningLog : ILoggerFactory, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => categoryName == RpcTelemetry.Name ? this : NullLogger.Instance;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                Lines.Enqueue(formatter(state, exception));
        }

        public void Dispose()
        {
        }
    }
}
