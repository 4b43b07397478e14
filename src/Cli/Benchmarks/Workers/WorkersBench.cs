using AdderNet.Cli.CommandLine;
using AdderNet.Cli.Training;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Models;

namespace AdderNet.Cli.Benchmarks.Workers;

/// <summary>
/// The same run with one and with several workers, real processes under a real coordinator on this machine, a stretch of each
/// in turn, and in turn with them a loop without memory on as many cores, and the exchange by itself.
/// </summary>
internal sealed class WorkersBench(WorkersCase measured, TimeProvider clock)
{
    private const int StretchSteps = 5;
    private const int FewestRounds = 3;
    private const int Exchanges = 5;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <exception cref="CommandFailedException">A process ended before its time.</exception>
    public async Task<IReadOnlyList<WorkersRow>> MeasureAsync(CancellationToken cancellation)
    {
        var folder = Directory.CreateTempSubdirectory("addernet-bench-");
        try
        {
            var log = Path.Combine(folder.FullName, "coordinator.log");
            await using var coordinator = ChildProcess.Start(
                ["coordinator", "--supervised", "--listen", "http://127.0.0.1:0", "--store", "sqlite:" + Path.Combine(folder.FullName, "coordinator.db")], new LogFile(log).Append);
            var line = await coordinator.FirstLine.WaitAsync(Patience, clock, cancellation).ConfigureAwait(false);
            var url = line?.Split(' ').LastOrDefault(word => word.StartsWith("http", StringComparison.Ordinal))
                ?? throw new CommandFailedException($"the coordinator ended: {(File.Exists(log) ? File.ReadLines(log).LastOrDefault() : "it wrote nothing")}");
            return await MeasureAsync(new Uri(url), folder.FullName, cancellation).ConfigureAwait(false);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private async Task<IReadOnlyList<WorkersRow>> MeasureAsync(Uri coordinator, string folder, CancellationToken cancellation)
    {
        await using var client = new CoordinatorClient([coordinator]);
        var contenders = new List<Contender>();
        try
        {
            foreach (var workers in measured.Workers)
            {
                var run = await WorkersRun.StartAsync(client, coordinator, measured, workers, folder, clock, cancellation).ConfigureAwait(false);
                contenders.Add(new Contender(run));
                if (workers > 1)
                    contenders[^1].Exchange = await ReadyExchange.StartAsync(workers, GradientLength(), clock, cancellation).ConfigureAwait(false);
            }

            await RoundsAsync(contenders, cancellation).ConfigureAwait(false);
            return [.. contenders.Select(c => c.Row(measured.Batch, contenders[0]))];
        }
        finally
        {
            foreach (var contender in contenders)
                await contender.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task RoundsAsync(List<Contender> contenders, CancellationToken cancellation)
    {
        var began = clock.GetTimestamp();
        for (var round = 0; round < FewestRounds || clock.GetElapsedTime(began) < Patience; round++)
        {
            foreach (var contender in contenders)
            {
                contender.Commits.AddRange(await contender.Run.StretchAsync(StretchSteps, cancellation).ConfigureAwait(false));
                contender.LoopRates.Add(PeakRate.Measure(contender.Run.Workers, clock, cancellation));
                if (contender.Exchange is { } exchange)
                    contender.Exchanges.AddRange(await exchange.SampleAsync(Exchanges, cancellation).ConfigureAwait(false));
            }
        }
    }

    private int GradientLength()
    {
        var input = new InputShape(measured.Side, measured.Side, measured.Side == 28 ? 1 : 3);
        return ModelCatalog.Describe(new ModelOptions { Name = measured.Model }, input).Layout.ReductionLength;
    }

    /// <summary>One number of workers and what was measured of it.</summary>
    private sealed class Contender(WorkersRun run) : IAsyncDisposable
    {
        public WorkersRun Run => run;

        public ReadyExchange? Exchange { get; set; }

        public List<MeasuredCommit> Commits { get; } = [];

        public List<double> Exchanges { get; } = [];

        /// <summary>Of the loop without memory on as many cores.</summary>
        public List<double> LoopRates { get; } = [];

        private double Seconds => Timing.MedianOf(Commits.Select(c => c.Seconds));

        private double Beyond => Timing.MedianOf(Commits.Select(c => c.Seconds - c.Compute));

        public WorkersRow Row(int batch, Contender one)
        {
            var speedUp = one.Seconds / Seconds;
            var loop = Timing.MedianOf(LoopRates) / Timing.MedianOf(one.LoopRates);
            var exchange = Exchanges.Count == 0 ? 0 : Timing.MedianOf(Exchanges);
            var left = Beyond - one.Beyond;
            return new WorkersRow(
                run.Workers, Commits.Count, Seconds, Timing.MedianOf(Commits.Select(c => c.Compute)), Timing.MedianOf(Commits.Select(c => c.DataWait)), batch / Seconds,
                speedUp, loop, speedUp / loop, exchange, left, exchange == 0 ? 0 : 1 - (left / exchange));
        }

        public async ValueTask DisposeAsync()
        {
            if (Exchange is not null)
                await Exchange.DisposeAsync().ConfigureAwait(false);
            await run.DisposeAsync().ConfigureAwait(false);
        }
    }
}
