using System.Text.Json;
using AdderNet.Protos.Rpc;
using AdderNet.Protos.Tests.Rpc;
using AdderNet.Protos.V1;
using Xunit;

namespace AdderNet.Protos.Tests.Interop;

/// <summary>The official client for Node calls a server of ours.</summary>
public sealed class OfficialClientTests(PlayedScenarios played) : IClassFixture<PlayedScenarios>
{
    [Fact]
    public async Task The_official_client_makes_a_unary_call_with_metadata_both_ways()
    {
        var echo = new EchoService();
        echo.OnSay = context =>
        {
            context.ResponseHeaders.Add("early", "header");
            context.ResponseTrailers.Add("late", "trailer");
            context.ResponseTrailers.Add("late-bin", new byte[] { 0, 200, 255 });
        };
        await using RpcFixture rpc = await RpcFixture.StartAsync(service: echo);

        JsonElement result = await NodePeer.PlayAsync(rpc.Server.Address, "unary");

        Assert.Equal("""{"code":0,"value":"abc","early":"header","late":"trailer","late_bin":"00c8ff"}""", result.GetRawText());
        Assert.Equal("by node", echo.Last!.Metadata.Text("asked"));
        Assert.Equal([0, 128, 255, 10], echo.Last.Metadata.Bytes("asked-bin")!.Value.ToArray());
    }

    [Fact]
    public void The_official_client_reads_a_server_stream()
    {
        JsonElement result = played.Result("server_stream");

        Assert.Equal(0, result.GetProperty("code").GetInt32());
        Assert.Equal(Enumerable.Range(0, 250), result.GetProperty("values").EnumerateArray().Select(v => v.GetInt32()));
    }

    [Theory]
    [InlineData("server_stream_failing", """{"code":15,"details":"the rest is lost","values":[0,1,2]}""")]
    [InlineData("error", """{"code":9,"details":"lo que falta: 100 % del año\n","cause":"test","cause_bin":"00ff07"}""")]
    [InlineData("missing", """{"code":12,"details":"this server has no method addernet.test.Echo/Missing"}""")]
    [InlineData("large", """{"code":0,"same":true}""")]
    [InlineData("too_large", """{"code":8,"details":"a message of 5242885 bytes is larger than the limit of 4194304"}""")]
    [InlineData("compressed", """{"code":12,"details":"the message is compressed; only the identity encoding is understood here"}""")]
    [InlineData("deadline", """{"code":4}""")]
    [InlineData("error_details", """{"code":9,"details_bin":"08091200"}""")]
    [InlineData("too_large_response", """{"code":8,"bytes":0}""")]
    public void The_official_client_sees(string scenario, string expected)
        => Assert.Equal(JsonDocument.Parse(expected).RootElement.ToString(), played.Result(scenario).ToString());

    [Fact]
    public void The_official_client_sends_a_stream()
    {
        JsonElement result = played.Result("client_stream");

        Assert.Equal(Convert.ToHexStringLower([.. Enumerable.Range(0, 100).Select(i => (byte)i)]), result.GetProperty("value").GetString());
    }

    [Fact]
    public void The_official_client_talks_both_ways()
    {
        JsonElement result = played.Result("duplex");

        Assert.Equal(Enumerable.Range(0, 50), result.GetProperty("heard").EnumerateArray().Select(v => v.GetInt32()));
    }

    [Fact]
    public async Task A_handler_is_cancelled_when_the_official_client_cancels()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();
        await using NodePeer client = NodePeer.Start("client.js", rpc.Server.Address.Authority, "cancel");

        Assert.Equal("hanging", await rpc.Echo.NextEventAsync());
        await client.WriteLineAsync("now");

        Assert.Equal("""{"code":1}""", (await client.ResultAsync()).GetRawText());
        Assert.Equal("cancelled", await rpc.Echo.NextEventAsync());
    }

    [Fact]
    public async Task The_official_client_holds_a_session_by_the_real_contract()
    {
        await using RpcServer server = await RpcServer.StartAsync(new RpcServerOptions { Listen = new Uri("http://127.0.0.1:0"), Services = [new Greeter()] });

        JsonElement result = await NodePeer.PlayAsync(server.Address, "contract");

        JsonElement answer = Assert.Single(result.GetProperty("heard").EnumerateArray());
        Assert.Equal("w of build node, numerics 3, at step 7 of r", answer.GetProperty("refused").GetProperty("reason").GetString());
    }

    private sealed class Greeter : IRpcService
    {
        public void Bind(RpcServiceBinder binder) => binder.Duplex(CoordinationMethods.Session, async (requests, responses, _) =>
        {
            await foreach (WorkerMessage m in requests)
            {
                await responses.WriteAsync(new CoordinatorMessage
                {
                    Refused = new Refused { Reason = $"{m.Hello.WorkerId} of build {m.Hello.Build}, numerics {m.Hello.NumericsVersion}, at step {m.Step} of {m.RunId}" },
                });
            }
        });
    }
}
