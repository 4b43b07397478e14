namespace AdderNet.Chaos;

/// <summary>A run that nobody disturbs: not one member may be given up, however busy the machine is.</summary>
internal static class CalmWatch
{
    public static async Task RunAsync(TimeSpan length, TextWriter output)
    {
        var directory = Directory.CreateTempSubdirectory("addernet-calm-").FullName;
        try
        {
            await using var run = TrainRun.Start(Measurement.WriteConfig(directory, 100_000_000), Path.Combine(directory, "run"), 3);
            var began = TimeProvider.System.GetTimestamp();
            await Task.Delay(length, TimeProvider.System, CancellationToken.None);
            var last = run.Commits.Last ?? throw new ChaosException("nothing was committed");
            await run.StopAsync();
            if (last.Generation != 1 || last.World != 3)
                throw new ChaosException($"a calm run is in generation {last.Generation} with {last.World} workers");
            output.WriteLine($"calm for {TimeProvider.System.GetElapsedTime(began).TotalMinutes:0} min: {last.Step} steps, generation 1 throughout, nobody given up");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
