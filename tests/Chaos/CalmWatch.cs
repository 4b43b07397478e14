namespace AdderNet.Chaos;

/// <summary>
/// A run that nobody disturbs: not one member may be given up or start over, however busy the machine is. Shards may move
/// between members whose measured speeds differ: a new generation, but of the same members.
/// </summary>
internal static class CalmWatch
{
    private const int World = 3;

    public static async Task RunAsync(TimeSpan length, TextWriter output)
    {
        var directory = Directory.CreateTempSubdirectory("addernet-calm-").FullName;
        try
        {
            await using var run = TrainRun.Start(Measurement.WriteConfig(directory, 100_000_000), Path.Combine(directory, "run"), World);
            var began = TimeProvider.System.GetTimestamp();
            await Task.Delay(length, TimeProvider.System, CancellationToken.None);
            await run.StopAsync();
            var last = run.Commits.Last ?? throw new ChaosException($"nothing was committed: {run.Said}");
            var starts = run.CoordinatorLog().Split('\n').Where(line => line.Contains(" starts at step ", StringComparison.Ordinal)).ToList();
            var others = starts.Skip(1).Where(line => !line.Contains("shards move by measured speed", StringComparison.Ordinal)).ToList();
            if (others.Count > 0 || run.Commits.Seen.Any(c => c.World != World))
                throw new ChaosException($"a calm run did not stay as it was; it ended with {last.World} workers:\n{string.Join('\n', others)}");
            output.WriteLine($"calm for {TimeProvider.System.GetElapsedTime(began).TotalMinutes:0} min: {last.Step} steps, nobody given up; shards moved {starts.Count - 1} times by measured speed");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
