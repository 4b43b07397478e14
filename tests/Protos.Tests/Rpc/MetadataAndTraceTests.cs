using System.Diagnostics;
using System.Diagnostics.Metrics;
using AdderNet.Protos.Rpc;
using Google.Protobuf.WellKnownTypes;
using Xunit;

namespace AdderNet.Protos.Tests.Rpc;

public sealed class MetadataAndTraceTests
{
    [Fact]
    public async Task Metadata_travels_there_and_back_bytes_included()
    {
        var echo = new EchoService();
        echo.OnSay = context =>
        {
            context.ResponseHeaders.Add("early", "first");
            context.ResponseTrailers.Add("late-bin", context.Metadata.Bytes("key-bin")!.Value);
        };
        await using RpcFixture rpc = await RpcFixture.StartAsync(service: echo);
        RpcMetadata? headers = null;
        RpcMetadata? trailers = null;
        byte[] all = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];

        await rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(1), new RpcCallOptions
        {
            Metadata = new RpcMetadata { { "Key", "a, b" }, { "key-bin", all }, { "key-bin", new byte[] { 9 } } },
            OnHeaders = m => headers = m,
            OnTrailers = m => trailers = m,
        });

        Assert.Equal("a, b", echo.Last!.Metadata.Text("key"));
        Assert.Equal([all, [9]], echo.Last.Metadata.Where(e => e.Key == "key-bin").Select(e => e.Bytes.ToArray()));
        Assert.DoesNotContain(echo.Last.Metadata, e => e.Key is "te" or "content-type" or ":path");
        Assert.Equal("first", headers!.Text("early"));
        Assert.Equal(all, trailers!.Bytes("late-bin")!.Value.ToArray());
    }

    [Theory]
    [InlineData("white space", "x", "white space")]
    [InlineData("", "x", "''")]
    [InlineData("grpc-status", "0", "transport")]
    [InlineData("content-type", "x", "transport")]
    [InlineData("key-bin", "text", "-bin")]
    [InlineData("key", "naïve", "U+00EF")]
    [InlineData("key", "two\r\nlines", "U+000D")]
    public void Metadata_that_cannot_travel_is_refused_where_it_is_made(string key, string value, string named)
        => Assert.Contains(named, Assert.Throws<ArgumentException>(() => new RpcMetadata().Add(key, value)).Message);

    [Fact]
    public void Bytes_need_a_key_that_says_so()
        => Assert.Contains("'key-bin'", Assert.Throws<ArgumentException>(() => new RpcMetadata().Add("key", new byte[] { 1 })).Message);

    [Fact]
    public async Task One_trace_goes_through_client_and_server()
    {
        var ended = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == RpcTelemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = a => { lock (ended) ended.Add(a); },
        };
        ActivitySource.AddActivityListener(listener);
        Activity? within = null;
        var echo = new EchoService { OnSay = _ => within = Activity.Current };
        await using RpcFixture rpc = await RpcFixture.StartAsync(service: echo);
        using var step = new Activity("step") { TraceStateString = "vendor=1" };
        step.SetIdFormat(ActivityIdFormat.W3C).Start();

        await rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(1));
        await Assert.ThrowsAsync<RpcException>(() => rpc.Channel.UnaryAsync(EchoMethods.Fail, Messages.Of(1)));

        Assert.Same(step, Activity.Current);
        Assert.Equal(step.TraceId, within!.TraceId);
        Assert.Equal("vendor=1", within.TraceStateString);
        // A server's span ends after the client has its answer: stopping the server waits for it.
        await rpc.Server.StopAsync();
        Activity[] mine;
        lock (ended)
            mine = [.. ended.Where(a => a.TraceId == step.TraceId && a.OperationName == "addernet.test.Echo/Say")];
        Activity client = Assert.Single(mine, a => a.Kind == ActivityKind.Client);
        Activity server = Assert.Single(mine, a => a.Kind == ActivityKind.Server);
        Assert.Equal((step.SpanId, client.SpanId), (client.ParentSpanId, server.ParentSpanId));
        Assert.Equal(0, client.GetTagItem("rpc.grpc.status_code"));
        lock (ended)
            Assert.Contains(ended, a => a.TraceId == step.TraceId && a.OperationName.EndsWith("/Fail") && a.Status == ActivityStatusCode.Error);
    }

    [Fact]
    public async Task A_trace_goes_on_through_a_server_that_nobody_traces()
    {
        ActivityContext within = default;
        var echo = new EchoService { OnSay = _ => within = Activity.Current?.Context ?? default };
        await using RpcFixture rpc = await RpcFixture.StartAsync(service: echo);

        await rpc.Channel.UnaryAsync(EchoMethods.Say, Messages.Of(1), new RpcCallOptions
        {
            Metadata = new RpcMetadata { { "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" } },
        });

        Assert.Equal("0af7651916cd43dd8448eb211c80319c", within.TraceId.ToString());
    }

    [Fact]
    public async Task A_duplex_call_leaves_the_callers_span_alone()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();
        using Activity step = new Activity("step").SetIdFormat(ActivityIdFormat.W3C).Start();

        await using (RpcDuplexCall<BytesValue, BytesValue> call = rpc.Channel.Duplex(EchoMethods.Chat))
        {
            await call.WriteAsync(Messages.Of(1));
            Assert.Same(step, Activity.Current);
        }

        Assert.Same(step, Activity.Current);
    }

    [Fact]
    public async Task Every_call_is_measured_on_both_sides()
    {
        var seen = new List<string>();
        using var meters = new MeterListener();
        meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == RpcTelemetry.Name && instrument.Name == "addernet.rpc.duration")
                listener.EnableMeasurementEvents(instrument);
        };
        meters.SetMeasurementEventCallback<double>((_, _, tags, _) =>
        {
            string text = string.Join(' ', tags.ToArray().Select(t => t.Value));
            lock (seen)
                seen.Add(text);
        });
        meters.Start();
        RpcFixture rpc = await RpcFixture.StartAsync();
        await Assert.ThrowsAsync<RpcException>(() => rpc.Channel.UnaryAsync(EchoMethods.Crash, Messages.Of(1)));
        await rpc.DisposeAsync();

        lock (seen)
        {
            Assert.Contains("client addernet.test.Echo/Crash Unknown", seen);
            Assert.Contains("server addernet.test.Echo/Crash Unknown", seen);
        }
    }
}
