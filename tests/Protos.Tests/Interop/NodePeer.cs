using System.Diagnostics;
using System.Text.Json;

namespace AdderNet.Protos.Tests.Interop;

/// <summary>A process of the official gRPC for Node.</summary>
internal sealed class NodePeer : IAsyncDisposable
{
    private const string Install = "the interop tests need Node.js 18 or newer and its gRPC; run: npm ci --prefix tests/interop";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly Task<string> _errors;

    private NodePeer(Process process)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
    }

    public static NodePeer Start(string script, params string[] arguments)
    {
        string folder = Path.Combine(Root(), "tests", "interop");
        if (!Directory.Exists(Path.Combine(folder, "node_modules", "@grpc", "grpc-js")))
            throw new InvalidOperationException(Install);
        var start = new ProcessStartInfo("node")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(Path.Combine(folder, script));
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        try
        {
            return new NodePeer(Process.Start(start)!);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new InvalidOperationException(Install, e);
        }
    }

    /// <summary>Plays one scenario of client.js and gives what it printed.</summary>
    public static async Task<JsonElement> PlayAsync(Uri server, string scenario)
    {
        await using NodePeer client = Start("client.js", server.Authority, scenario);
        return await client.ResultAsync();
    }

    public async Task<JsonElement> ResultAsync() => JsonDocument.Parse(await ReadLineAsync()).RootElement;

    public async Task<string> ReadLineAsync()
        => await _process.StandardOutput.ReadLineAsync().WaitAsync(Patience)
            ?? throw new InvalidOperationException($"node ended without an answer: {await _errors}");

    public async Task WriteLineAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        await _errors;
        _process.Dispose();
    }

    private static string Root()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "AdderNet.sln")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("the tests run below the repository: AdderNet.sln was not found above them");
    }
}
