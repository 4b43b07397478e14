using System.CommandLine;

namespace AdderNet.Cli.CommandLine;

/// <summary>Threads that decode samples beside those that compute.</summary>
internal static class ThreadOptions
{
    public static Option<int?> CreateDecodeThreads() => EnvironmentOption.Number(
        "--decode-threads", "Threads that decode samples ahead of the step, beside the compute threads; without it half as many as those", "N", 1, 2);

    /// <summary>How many go with so many compute threads: pictures decode while a step computes, which takes far longer.</summary>
    public static int DecodeThreads(int computeThreads) => Math.Max(1, computeThreads / 2);
}
