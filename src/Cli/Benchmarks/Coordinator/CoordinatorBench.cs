using System.Globalization;
using AdderNet.Cli.CommandLine;
using AdderNet.Cli.Training;
using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;

namespace AdderNet.Cli.Benchmarks.Coordinator;

/// <summary>What is put on the coordinator.</summary>
/// <param name="Host">What keeps its runs.</param>
/// <param name="Store">Its store; null: a SQLite file made for this.</param>
/// <param name="Workers">Simulated workers.</param>
/// <param name="Runs">Runs that share them.</param>
/// <param name="StepsPerSecond">Of each worker.</param>
/// <param name="WarmUp">Before anything counts.</param>
/// <param name="Duration">What counts.</param>
internal sealed record CoordinatorLoad(string Host, string? Store, int Workers, int Runs, double StepsPerSecond, TimeSpan WarmUp, TimeSpan Duration);

/// <summary>One stretch of the measurement.</summary>
/// <param name="Seconds">End of the stretch since the warm-up.</param>
/// <param name="Steps">Steps a second of one run.</param>
/// <param name="Commits">Commits that workers read.</param>
/// <param name="P50">Milliseconds.</param>
/// <param name="P99">Milliseconds.</param>
/// <param name="Worst">Milliseconds.</param>
/// <param name="Megabytes">Resident memory of the coordinator's process at the end.</param>
internal sealed record CoordinatorRow(double Seconds, double Steps, long Commits, double P50, double P99, double Worst, double Megabytes)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Seconds,6:0} s  {Steps,5:0.00} steps/s  {Commits,8} commits  p50 {P50,6:0.0} ms  p99 {P99,6:0.0} ms  worst {Worst,7:0.0} ms  coordinator {Megabytes,6:0.0} MB");
}

/// <summary>A coordinator in a process of its own under the load of simulated workers on real gRPC streams.</summary>
internal sealed class CoordinatorBench(CoordinatorLoad load, TimeProvider clock)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Measures; <paramref name="tell"/> gets each stretch as it ends.</summary>
    /// <returns>The stretches, and the whole as the last one.</returns>
    /// <exception cref="CommandFailedException">The coordinator or a worker ended before its time.</exception>
    public async Task<IReadOnlyList<CoordinatorRow>> MeasureAsync(Action<CoordinatorRow> tell, CancellationToken cancellation)
    {
        var folder = Directory.CreateTempSubdirectory("addernet-bench-");
        var log = Path.Combine(folder.FullName, "coordinator.log");
        try
        {
            var store = load.Store ?? "sqlite:" + Path.Combine(folder.FullName, "coordinator.db");
            await using var coordinator = ChildProcess.Start(["coordinator", "--supervised", "--listen", "http://127.0.0.1:0", "--host", load.Host, "--store", store], new LogFile(log).Append);
            var line = await coordinator.FirstLine.WaitAsync(Patience, clock, cancellation).ConfigureAwait(false);
            var url = line?.Split(' ').LastOrDefault(word => word.StartsWith("http", StringComparison.Ordinal))
                ?? throw new CommandFailedException($"the coordinator ended: {(File.Exists(log) ? File.ReadLines(log).LastOrDefault() : "it wrote nothing")}");
            var rows = await LoadAsync(new Uri(url), coordinator.Id, folder.FullName, tell, cancellation).ConfigureAwait(false);
            await coordinator.StopAsync(Patience, clock).ConfigureAwait(false);
            return rows;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private async Task<IReadOnlyList<CoordinatorRow>> LoadAsync(Uri url, int process, string folder, Action<CoordinatorRow> tell, CancellationToken cancellation)
    {
        await using var client = new CoordinatorClient([url]);
        var runs = new List<string>();
        for (var run = 0; run < load.Runs; run++)
            runs.Add((await client.CallAsync(CoordinationMethods.SubmitRun, Submission(Path.Combine(folder, $"run{run}")), cancellation).ConfigureAwait(false)).RunId);

        var latencies = new CommitLatencies(clock);
        var beat = new StepBeat(load.StepsPerSecond, clock);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var workers = Enumerable.Range(0, load.Workers).Select(place => new SimulatedWorker(url, place, beat, latencies, clock)).ToList();
        var working = workers.Select(worker => worker.RunAsync(over.Token)).ToList();
        var measuring = StretchesAsync(latencies, process, tell, over.Token);
        try
        {
            var first = await Task.WhenAny([measuring, .. working]).ConfigureAwait(false);
            if (first is Task<string> left)
                throw new CommandFailedException($"a simulated worker ended before its time: {await left.ConfigureAwait(false)}");
            var rows = await measuring.ConfigureAwait(false);
            foreach (var run in runs)
                await client.CallAsync(CoordinationMethods.ControlRun, new ControlRunRequest { RunId = run, Action = "cancel" }, cancellation).ConfigureAwait(false);
            return rows;
        }
        catch (RpcException e)
        {
            throw client.Explain(e);
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll([measuring, .. working]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var worker in workers)
                await worker.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<IReadOnlyList<CoordinatorRow>> StretchesAsync(CommitLatencies latencies, int process, Action<CoordinatorRow> tell, CancellationToken cancellation)
    {
        await Task.Delay(load.WarmUp, clock, cancellation).ConfigureAwait(false);
        var stretch = load.Duration / Math.Max(1, Math.Min(10, Math.Floor(load.Duration.TotalSeconds / 10)));
        var rows = new List<CoordinatorRow>();
        var began = clock.GetTimestamp();
        var (firstCounts, firstSteps) = (latencies.Snapshot(), latencies.Steps);
        var (counts, steps, at) = (firstCounts, firstSteps, TimeSpan.Zero);
        using var timer = new PeriodicTimer(stretch, clock);
        while (at < load.Duration - stretch / 2 && await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false))
        {
            var (nextCounts, nextSteps, next) = (latencies.Snapshot(), latencies.Steps, clock.GetElapsedTime(began));
            rows.Add(Row(next, next - at, nextSteps - steps, counts, nextCounts, process));
            (counts, steps, at) = (nextCounts, nextSteps, next);
            tell(rows[^1]);
        }

        rows.Add(Row(at, at, steps - firstSteps, firstCounts, counts, process));
        return rows;
    }

    private CoordinatorRow Row(TimeSpan end, TimeSpan length, long steps, long[] before, long[] after, int process) => new(
        end.TotalSeconds, steps / length.TotalSeconds / load.Runs, CommitLatencies.Count(before, after),
        CommitLatencies.Percentile(before, after, 0.5), CommitLatencies.Percentile(before, after, 0.99),
        CommitLatencies.Percentile(before, after, 1), ResidentMegabytes(process));

    private static double ResidentMegabytes(int process)
    {
        using var seen = System.Diagnostics.Process.GetProcessById(process);
        return seen.WorkingSet64 / 1e6;
    }

    /// <summary>A run that lasts: a checkpoint every 25 steps and an evaluation every 8, so that the store has its share of the work.</summary>
    private SubmitRunRequest Submission(string output)
    {
        var members = load.Workers / load.Runs;
        var shards = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)members);
        return new SubmitRunRequest
        {
            ExpectedWorkers = (uint)members,
            Description = string.Create(
                CultureInfo.InvariantCulture,
                $$"""
                model: {name: lenet5}
                data: {format: synthetic, image_size: 28}
                batch: {global: 512, shards: {{shards}}}
                schedule: {epochs: 100000}
                elastic: {min_workers: {{members}}, max_workers: {{members}}, lease_ms: 10000}
                checkpoint: {every_steps: 25, keep: 3, path: {{output}}}
                """),
        };
    }
}
