using System.Security.Cryptography;
using System.Text;
using AdderNet.Core.Checkpoints;
using AdderNet.Core.Configuration;

namespace AdderNet.Coordinator.Output;

/// <summary>What the coordinator itself writes into a run's output directory, besides metrics and summary.</summary>
internal static class RunDirectory
{
    private const string DescriptionFile = "run.yaml";

    public const string MetricsFile = "metrics.jsonl";

    /// <summary>Holds a random word, by which workers prove that they reach this directory.</summary>
    public const string TokenFile = ".reach";

    /// <summary>The directory's random word, made at the first call; the directory is made too.</summary>
    /// <exception cref="IOException">The directory cannot be made or written.</exception>
    public static string TakeToken(string output)
    {
        Directory.CreateDirectory(output);
        var path = Path.Combine(output, TokenFile);
        if (!File.Exists(path))
            AtomicFile.Write(path, "coordinator", stream => stream.Write(Encoding.ASCII.GetBytes(RandomNumberGenerator.GetHexString(32, lowercase: true))));
        return File.ReadAllText(path).Trim();
    }

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
    public static string? ProblemOf(string output, string file, long bytes, string sha256)
    {
        var found = new FileInfo(Path.Combine(output, file));
        if (!found.Exists)
            return $"{found.FullName} is not there: does every worker reach the coordinator's checkpoint.path?";
        if (found.Length != bytes)
            return $"{found.FullName} has {found.Length} bytes, not the {bytes} that were announced";
        try
        {
            var actual = AtomicFile.Sha256(found.FullName);
            return actual == sha256 ? null : $"{found.FullName} has SHA-256 {actual}, not the {sha256} that was announced";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{found.FullName} cannot be read: {e.Message}";
        }
    }
}
