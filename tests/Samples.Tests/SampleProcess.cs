using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace AdderNet.Samples.Tests;

/// <summary>Runs a sample that was built against the packed library, as a process.</summary>
internal static class SampleProcess
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>The repository.</summary>
    public static string Root { get; } = Path.GetFullPath(Path.Combine(Here(), "../.."));

    public static async Task<(int ExitCode, string[] Output, string[] Errors)> RunAsync(string sample, params string[] arguments)
    {
        var built = Path.Combine(Root, "samples", sample, "bin/Release/net10.0", $"{sample}.dll");
        if (!File.Exists(built))
            throw new FileNotFoundException($"{built} is missing: ./test packs the library and builds the samples first, and so does build/samples.sh");
        var host = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        using var process = Process.Start(new ProcessStartInfo(host, [built, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{sample} {string.Join(' ', arguments)} did not end; it wrote: {await output}{await errors}");
        }

        return (process.ExitCode, Lines(await output), Lines(await errors));
    }

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
