using System.Diagnostics;
using System.Globalization;
using AdderNet.Cli.CommandLine;
using AdderNet.Cli.Training;

namespace AdderNet.Cli.Benchmarks.Exchange;

/// <summary>A member in a process of its own: one line asks, one line answers.</summary>
internal sealed class MemberProcess : IAsyncDisposable
{
    private readonly Process process;
    private readonly Task<string> errors;

    private MemberProcess(Process process)
    {
        this.process = process;
        errors = process.StandardError.ReadToEndAsync();
    }

    public static MemberProcess Start(int index, int length, double bucketMegabytes, int groupSize)
    {
        string[] arguments = [.. new object[] { index, length, bucketMegabytes, groupSize }.Select(a => string.Create(CultureInfo.InvariantCulture, $"{a}"))];
        return new MemberProcess(Process.Start(ChildProcess.Describe(["bench", "exchange-member", .. arguments]))!);
    }

    public Task AskAsync(string line) => process.StandardInput.WriteLineAsync(line);

    /// <exception cref="CommandFailedException">It ended, or says nothing for too long.</exception>
    public async Task<string> AnswerAsync(TimeSpan patience, TimeProvider clock, CancellationToken cancellation)
    {
        try
        {
            return await process.StandardOutput.ReadLineAsync(cancellation).AsTask().WaitAsync(patience, clock, cancellation).ConfigureAwait(false)
                ?? throw new CommandFailedException($"a member of the exchange ended: {(await errors.ConfigureAwait(false)).Trim()}");
        }
        catch (TimeoutException)
        {
            throw new CommandFailedException($"a member of the exchange says nothing for {patience.TotalSeconds:0} s");
        }
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync().ConfigureAwait(false);
        process.Dispose();
    }
}
