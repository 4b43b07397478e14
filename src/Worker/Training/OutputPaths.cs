using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Training;

/// <summary>Where the run's files lie as this machine sees them.</summary>
/// <param name="local">The run's output directory here; null: the coordinator's names hold.</param>
internal sealed class OutputPaths(string? local)
{
    private const string Checkpoints = "checkpoints";

    /// <summary>A file below the output directory.</summary>
    public string Resolve(string directory, string file)
    {
        var root = Path.GetFullPath(local ?? directory);
        var path = Path.GetFullPath(Path.Combine(root, file));
        return path.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? path
            : throw new IOException($"'{file}' does not lie below the output directory {root}");
    }

    /// <summary>What the run's output directory holds as proof that this machine reaches it; empty: it does not.</summary>
    public string ReadToken(WelcomeOrder welcome)
    {
        if (welcome.TokenFile.Length == 0)
            return "";
        try
        {
            return File.ReadAllText(Resolve(welcome.Output, welcome.TokenFile)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>A checkpoint named by the coordinator's own path, such as <c>OUTPUT/checkpoints/step-00000500/state.safetensors</c>.</summary>
    public string Resolve(string checkpoint)
    {
        if (local is null)
            return checkpoint;
        var parts = checkpoint.Split('/', '\\');
        var folder = Array.LastIndexOf(parts, Checkpoints);
        return folder < 0 ? checkpoint : Path.Combine([local, .. parts[folder..]]);
    }
}
