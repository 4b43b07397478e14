using System.Globalization;

namespace AdderNet.Cli.Benchmarks;

/// <summary>How long threads of this process were ready to run but had no core: what tells a slow sample from a disturbed one.</summary>
internal static class RunQueueWait
{
    private const string Threads = "/proc/self/task";

    /// <summary>Seconds, over all threads since they started; 0 where the system does not say (it is not Linux).</summary>
    public static double Seconds()
    {
        if (!OperatingSystem.IsLinux() || !Directory.Exists(Threads))
            return 0;
        var nanoseconds = 0.0;
        foreach (var thread in Directory.EnumerateDirectories(Threads))
            nanoseconds += OfThread(Path.Combine(thread, "schedstat"));
        return nanoseconds * 1e-9;
    }

    /// <summary>The second figure of the file (Linux, Documentation/scheduler/sched-stats).</summary>
    private static double OfThread(string file)
    {
        try
        {
            var figures = File.ReadAllText(file).Split(' ');
            return figures.Length > 1 && double.TryParse(figures[1], CultureInfo.InvariantCulture, out var wait) ? wait : 0;
        }
        catch (IOException)
        {
            // The thread has ended since it was listed, or the kernel keeps no such figures.
            return 0;
        }
    }
}
