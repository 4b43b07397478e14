using System.Globalization;

namespace AdderNet.Chaos;

/// <summary>Long measurements of one kind of event, with medians and maxima beside what was promised.</summary>
internal static class Measurement
{
    private const int World = 3;

    /// <summary>A step of some 20 ms, so that recovery and not arithmetic is measured; never evaluated.</summary>
    public static string WriteConfig(string directory, int steps, int leaseMs = 2500)
    {
        Directory.CreateDirectory(directory);
        var path = Path.Combine(directory, "chaos.yaml");
        File.WriteAllText(path, $$"""
            model: {name: lenet5}
            data: {format: synthetic, image_size: 28}
            batch: {global: 16, shards: 8}
            optimizer: {learning_rate: 0.05, nesterov: true}
            schedule: {epochs: 100000, max_steps: {{steps}}}
            evaluation: {every_epochs: 0}
            checkpoint: {every_steps: 500}
            elastic: {lease_ms: {{leaseMs}}}
            seed: 11
            """);
        return path;
    }

    /// <summary>Strikes so many times; then the run is ended and laid beside a calm one of the same length.</summary>
    public static async Task RunAsync(Event kind, int events, TextWriter output)
    {
        var directory = Directory.CreateTempSubdirectory("addernet-chaos-").FullName;
        try
        {
            var config = WriteConfig(directory, 1_000_000);
            var disturbed = Path.Combine(directory, "disturbed");
            var times = new List<TimeSpan>();
            double step;
            if (kind is Event.CutLink or Event.CutPair or Event.AddWorker)
            {
                await using var linked = await LinkedRun.StartAsync(config, disturbed, World);
                while (times.Count < events)
                    times.Add(await StrikeAsync(linked, kind, times.Count));
                step = StepOf(linked.Commits.Seen);
                await linked.StopAsync();
            }
            else
            {
                await using var train = TrainRun.Start(config, disturbed, World);
                while (times.Count < events)
                    times.Add(await StrikeAsync(train, kind, times.Count));
                step = StepOf(train.Commits.Seen);
                await train.StopAsync();
            }

            var (steps, hash) = await Comparison.WithCalmAsync(config, disturbed, Path.Combine(directory, "calm"));
            output.WriteLine($"after {steps} steps the disturbed run's final.safetensors is the calm run's: {hash}");
            Report(kind, times, step, output);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static Task<TimeSpan> StrikeAsync(LinkedRun linked, Event kind, int turn) => kind switch
    {
        Event.CutLink => Recoveries.CutLinkAsync(linked, World, turn),
        Event.CutPair => Recoveries.CutPairAsync(linked, World, turn),
        _ => Recoveries.AddWorkerAsync(linked, World),
    };

    private static Task<TimeSpan> StrikeAsync(TrainRun train, Event kind, int turn) => kind switch
    {
        Event.KillWorker => Recoveries.KillWorkerAsync(train, World, turn),
        Event.KillCoordinator => Recoveries.KillCoordinatorAsync(train, World),
        _ => Recoveries.StopWorkerAsync(train, World, turn),
    };

    private static double StepOf(IReadOnlyList<Commit> commits)
    {
        var gaps = commits.Zip(commits.Skip(1))
            .Where(p => p.First.Generation == p.Second.Generation)
            .Select(p => TimeProvider.System.GetElapsedTime(p.First.Stamp, p.Second.Stamp).TotalSeconds).Order().ToList();
        return gaps[gaps.Count / 2];
    }

    private static void Report(Event kind, List<TimeSpan> times, double step, TextWriter output)
    {
        var sorted = times.Select(t => t.TotalSeconds).Order().ToList();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{kind}: {sorted.Count} events, {(kind == Event.AddWorker ? "longest time between two committed steps" : "to the next committed step")}: median {sorted[sorted.Count / 2]:0.00} s, max {sorted[^1]:0.00} s (a step takes {step * 1000:0} ms)"));
        output.WriteLine("  all, s: " + string.Join(" ", sorted.Select(s => s.ToString("0.00", CultureInfo.InvariantCulture))));
    }
}
