using System.Globalization;

namespace AdderNet.Cli.Benchmarks;

/// <summary>How long threads of this process were ready to run but had no core: what tells a slow sample from a disturbed one.</summary>
internal static class RunQueueWait
{
    private const string Threads = "/proc/self/task";

    /// <summary>Seconds of the calling thread since it started; 0 where the system does not say (it is not Linux).</summary>
    public static double OfThisThread() => OfThread("/proc/thread-self/schedstat");

    /// <summary>Seconds of all threads of this process together.</summary>
    public static double OfAllThreads() =>
        Directory.Exists(Threads) ? Directory.EnumerateDirectories(Threads).Sum(thread => OfThread(Path.Combine(thread, "schedstat"))) : 0;

    /// <summary>The second figure of the file, in nanoseconds (Linux, Documentation/scheduler/sched-stats).</summary>
    private static double OfThread(string file)
    {
        try
        {
            var figures = File.ReadAllText(file).Split(' ');
            return figures.Length > 1 && double.TryParse(figures[1], CultureInfo.InvariantCulture, out var wait) ? wait * 1e-9 : 0;
        }
        catch (IOException)
        {
            // The thread has ended since it was listed, or the kernel keeps no such figures.
            return 0;
        }
    }
}
