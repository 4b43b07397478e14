using System.Text.Json;
using AdderNet.Protos.Tests.Rpc;
using Xunit;

namespace AdderNet.Protos.Tests.Interop;

/// <summary>The scenarios of client.js that need nothing but the echo service, played one after another by one process.</summary>
public sealed class PlayedScenarios : IAsyncLifetime
{
    private static readonly string[] Names =
    [
        "server_stream", "server_stream_failing", "client_stream", "duplex", "error", "missing", "large", "too_large", "compressed", "deadline",
        "error_details", "too_large_response",
    ];

    private readonly Dictionary<string, JsonElement> _results = [];

    /// <summary>What the official client printed for this scenario.</summary>
    public JsonElement Result(string scenario) => _results[scenario];

    public async Task InitializeAsync()
    {
        await using RpcFixture rpc = await RpcFixture.StartAsync();
        await using NodePeer client = NodePeer.Start("client.js", [rpc.Server.Address.Authority, .. Names]);
        foreach (string name in Names)
            _results[name] = await client.ResultAsync();
    }

    public Task DisposeAsync() => Task.CompletedTask;
}
