using System.Globalization;
using System.Text.Json;
using AdderNet.Cli.CommandLine;
using AdderNet.Cli.Training;
using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;

namespace AdderNet.Cli.Benchmarks.Workers;

/// <summary>What the coordinator wrote of one step.</summary>
/// <param name="Seconds">From its start to its commit.</param>
/// <param name="Compute">The slowest worker's forward and backward passes.</param>
/// <param name="DataWait">The longest wait for samples within those.</param>
internal sealed record MeasuredCommit(double Seconds, double Compute, double DataWait);

/// <summary>One run with its workers, each a process of its own. It stands still but for the stretches that are measured.</summary>
internal sealed class WorkersRun : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    /// <summary>Asking costs the run some of its processor's time, so it is done rarely.</summary>
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(200);
    private readonly CoordinatorClient client;
    private readonly WorkersCase measured;
    private readonly string id;
    private readonly string output;
    private readonly TimeProvider clock;
    private readonly List<ChildProcess> processes = [];

    private WorkersRun(CoordinatorClient client, WorkersCase measured, int workers, string id, string output, TimeProvider clock) =>
        (this.client, this.measured, Workers, this.id, this.output, this.clock) = (client, measured, workers, id, output, clock);

    /// <summary>How many workers it has.</summary>
    public int Workers { get; }

    /// <summary>Submits the run and starts its workers; it pauses as soon as it can.</summary>
    /// <exception cref="CommandFailedException">The run does not begin.</exception>
    public static async Task<WorkersRun> StartAsync(
        CoordinatorClient client, Uri coordinator, WorkersCase measured, int workers, string folder, TimeProvider clock, CancellationToken cancellation)
    {
        var output = Path.Combine(folder, $"run{workers}");
        var reply = await client.CallAsync(
            CoordinationMethods.SubmitRun, new SubmitRunRequest { Description = measured.Description(workers, output), ExpectedWorkers = (uint)workers }, cancellation).ConfigureAwait(false);
        var run = new WorkersRun(client, measured, workers, reply.RunId, output, clock);
        try
        {
            for (var i = 0; i < workers; i++)
            {
                var log = new LogFile(Path.Combine(folder, $"run{workers}-worker{i}.log"));
                run.processes.Add(ChildProcess.Start(
                    ["worker", "--supervised", "--coordinator", coordinator.ToString(), "--run", run.id, "--threads", measured.Threads.ToString(CultureInfo.InvariantCulture)], log.Append));
            }

            await run.UntilAsync(status => status.Step >= 2, cancellation).ConfigureAwait(false);
            await run.PauseAsync(cancellation).ConfigureAwait(false);
            return run;
        }
        catch
        {
            await run.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Lets the run go on for some steps, or a few more.</summary>
    /// <returns>The steps without the first one, for which everything had to wake up.</returns>
    public async Task<IReadOnlyList<MeasuredCommit>> StretchAsync(int steps, CancellationToken cancellation)
    {
        var read = Lines().Count();
        await ControlAsync("resume", cancellation).ConfigureAwait(false);
        await UntilAsync(status => (long)status.Step > read + steps, cancellation).ConfigureAwait(false);
        await PauseAsync(cancellation).ConfigureAwait(false);
        return [.. Lines().Skip(read + 1).Select(Parse)];
    }

    /// <summary>Ends its processes.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes)
            process.Kill();
        foreach (var process in processes)
            await process.DisposeAsync().ConfigureAwait(false);
    }

    private async Task PauseAsync(CancellationToken cancellation)
    {
        await ControlAsync("pause", cancellation).ConfigureAwait(false);
        await UntilAsync(status => status.State == "paused", cancellation).ConfigureAwait(false);
    }

    private Task ControlAsync(string action, CancellationToken cancellation) =>
        client.CallAsync(CoordinationMethods.ControlRun, new ControlRunRequest { RunId = id, Action = action }, cancellation);

    private async Task UntilAsync(Func<RunStatus, bool> reached, CancellationToken cancellation)
    {
        var began = clock.GetTimestamp();
        while (true)
        {
            var status = await client.CallAsync(CoordinationMethods.GetRun, new GetRunRequest { RunId = id }, cancellation).ConfigureAwait(false);
            if (reached(status))
                return;
            if (status.State is "failed" or "cancelled" or "completed" or "stopped" || processes.Any(p => p.HasEnded))
                throw new CommandFailedException($"the run of {Workers} worker(s) ended: {status.State}: {status.Reason}");
            if (clock.GetElapsedTime(began) > Patience)
                throw new CommandFailedException($"the run of {Workers} worker(s) does not get on for {Patience.TotalSeconds:0} s: {status.State}: {status.Reason}");
            await Task.Delay(Glance, clock, cancellation).ConfigureAwait(false);
        }
    }

    private IEnumerable<string> Lines() => File.ReadLines(Path.Combine(output, "metrics.jsonl"));

    private MeasuredCommit Parse(string line)
    {
        using var json = JsonDocument.Parse(line);
        double Of(string name) => json.RootElement.GetProperty(name).GetDouble();
        return new MeasuredCommit(measured.Batch / Of("samples_per_second"), Of("compute_seconds"), Of("data_wait_seconds"));
    }
}
