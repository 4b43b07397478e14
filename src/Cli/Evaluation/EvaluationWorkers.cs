using AdderNet.Cli.CommandLine;
using AdderNet.Cli.Training;

namespace AdderNet.Cli.Evaluation;

/// <summary>
/// Shares the blocks of a test set out to worker processes. A worker that dies is replaced, and its successor goes on from the
/// first block that is missing.
/// </summary>
/// <param name="arguments">Command line of a worker, before its range of blocks.</param>
/// <param name="done">Told of every block that came back.</param>
internal sealed class EvaluationWorkers(IReadOnlyList<string> arguments, Action<EvaluatedBlock> done)
{
    /// <summary>Hidden option of a worker: its blocks, <c>FIRST-END</c>.</summary>
    public const string BlocksOption = "--blocks";

    private const int MostDeathsInARow = 3;
    private readonly Lock gate = new();
    private readonly Dictionary<int, EvaluatedBlock> blocks = [];

    /// <summary>Evaluates all blocks.</summary>
    /// <param name="count">Blocks of the test set.</param>
    /// <param name="workers">Worker processes.</param>
    /// <param name="cancellation">Ends the workers.</param>
    /// <exception cref="CommandFailedException">A range could not be finished.</exception>
    public async Task<IReadOnlyCollection<EvaluatedBlock>> RunAsync(int count, int workers, CancellationToken cancellation)
    {
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var ranges = Enumerable.Range(0, workers)
            .Select(i => RunRangeAsync(i + 1, (int)((long)count * i / workers), (int)((long)count * (i + 1) / workers), failed));
        await Task.WhenAll(ranges).ConfigureAwait(false);
        return blocks.Values;
    }

    private async Task RunRangeAsync(int place, int first, int end, CancellationTokenSource failed)
    {
        var deaths = 0;
        for (var next = first; next < end;)
        {
            var lastWords = "it wrote nothing";
            await using var child = ChildProcess.Start(
                [.. arguments, BlocksOption, $"{next}-{end}"], line => lastWords = line, line => Take(line, first, end));
            await child.WaitAsync(failed.Token).ConfigureAwait(false);
            await child.OutputEnd.ConfigureAwait(false);
            var reached = FirstMissing(next, end);
            deaths = reached > next ? 0 : deaths + 1;
            next = reached;
            if (next == end || deaths < MostDeathsInARow)
                continue;
            await failed.CancelAsync().ConfigureAwait(false);
            throw new CommandFailedException($"evaluation worker {place} ended with status {child.ExitCode} {deaths} times without a result: {lastWords}");
        }
    }

    private void Take(string line, int first, int end)
    {
        if (EvaluatedBlock.Parse(line) is not { } block || block.Block < first || block.Block >= end)
            return;
        lock (gate)
        {
            if (!blocks.TryAdd(block.Block, block))
                return;
        }

        done(block);
    }

    private int FirstMissing(int from, int end)
    {
        lock (gate)
            return Enumerable.Range(from, end - from).Where(block => !blocks.ContainsKey(block)).DefaultIfEmpty(end).First();
    }
}
