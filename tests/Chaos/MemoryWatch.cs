using System.Globalization;

namespace AdderNet.Chaos;

/// <summary>Many steps of a tiny model with a new generation every so many: resident memory of every process stays flat.</summary>
internal static class MemoryWatch
{
    private const int World = 3;

    /// <summary>Every <paramref name="every"/> steps one worker's session is broken, so that a generation with the same processes follows.</summary>
    public static async Task RunAsync(int steps, int every, TextWriter output)
    {
        var directory = Directory.CreateTempSubdirectory("addernet-memory-").FullName;
        try
        {
            var config = Measurement.WriteConfig(directory, steps);
            await using var run = await LinkedRun.StartAsync(config, Path.Combine(directory, "run"), World);
            var rows = new List<double[]>();
            for (var step = every; step < steps; step += every)
            {
                var commit = await run.Commits.FirstAsync(c => c.Step >= step, TimeSpan.FromMinutes(5), $"step {step}", Math.Max(0, run.Commits.Count - 10));
                rows.Add(run.Memory());
                run.Linked[rows.Count % World].Up.Reset();
                if (rows.Count % 10 == 0)
                    output.WriteLine(Row(step, commit.Generation, rows[^1]));
            }

            await run.CompleteAsync();
            var last = run.Commits.Last!;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{last.Step} steps, {last.Generation} generations; MiB of coordinator and workers, mean of the second and of the last fifth:"));
            for (var process = 0; process < rows[0].Length; process++)
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {(process == 0 ? "coordinator" : $"worker {process}"),-12} {Mean(rows, process, 1):0.0} -> {Mean(rows, process, 4):0.0}"));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static double Mean(List<double[]> rows, int process, int fifth) =>
        rows.Skip(rows.Count * fifth / 5).Take(rows.Count / 5).Average(r => r[process]);

    private static string Row(int step, long generation, double[] memory) =>
        string.Create(CultureInfo.InvariantCulture, $"step {step}, generation {generation}, MiB: {string.Join(" ", memory.Select(m => m.ToString("0.0", CultureInfo.InvariantCulture)))}");
}
