using System.Text;
using AdderNet.Core.Checkpoints;
using AdderNet.Core.Configuration;

namespace AdderNet.Coordinator.Output;

/// <summary>What the coordinator itself writes into a run's output directory, besides metrics and summary.</summary>
internal static class RunDirectory
{
    private const string DescriptionFile = "run.yaml";

    public const string MetricsFile = "metrics.jsonl";

    /// <summary>Writes the resolved description.</summary>
    /// <exception cref="IOException">The directory cannot be made or written.</exception>
    public static void WriteDescription(string output, RunDescription description)
    {
        Directory.CreateDirectory(output);
        AtomicFile.Write(
            Path.Combine(output, DescriptionFile), "coordinator",
            stream => stream.Write(Encoding.UTF8.GetBytes(RunDescriptionFile.Write(description))));
    }

    /// <summary>The description of the run that the directory holds, or null.</summary>
    /// <exception cref="InvalidDescriptionException">There is one, but it cannot be read.</exception>
    public static RunDescription? ReadDescription(string output)
    {
        var path = Path.Combine(output, DescriptionFile);
        return File.Exists(path) ? RunDescriptionFile.Load(path) : null;
    }

    /// <summary>Why a file that a worker announced does not count, or null when it is there and whole.</summary>
    public static string? ProblemOf(string output, string file, long bytes)
    {
        var found = new FileInfo(Path.Combine(output, file));
        if (!found.Exists)
            return $"{found.FullName} is not there: does every worker reach the coordinator's checkpoint.path?";
        return found.Length == bytes ? null : $"{found.FullName} has {found.Length} bytes, not the {bytes} that were announced";
    }
}
