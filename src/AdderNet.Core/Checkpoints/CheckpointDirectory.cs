using System.Globalization;

namespace AdderNet.Core.Checkpoints;

/// <summary>A checkpoint on disk.</summary>
/// <param name="Step">Applied steps, from the directory's name.</param>
/// <param name="File">Its <c>state.safetensors</c>.</param>
public sealed record CheckpointEntry(long Step, string File);

/// <summary>The newest sound checkpoint, and why newer ones were passed over.</summary>
/// <param name="Entry">Null when there is none.</param>
/// <param name="Refused">One line for each damaged or foreign file.</param>
public sealed record NewestCheckpoint(CheckpointEntry? Entry, IReadOnlyList<string> Refused);

/// <summary>Checkpoints of a run: <c>OUTPUT/checkpoints/step-NNNNNNNN/state.safetensors</c> and <c>OUTPUT/checkpoints/best/state.safetensors</c>.</summary>
public static class CheckpointDirectory
{
    private const string Folder = "checkpoints";
    private const string StepPrefix = "step-";
    private const string StateFile = "state.safetensors";

    /// <summary>The best checkpoint's path below the output directory.</summary>
    public const string BestFile = Folder + "/best/" + StateFile;

    /// <summary>A step's checkpoint below the output directory, such as <c>checkpoints/step-00000500/state.safetensors</c>.</summary>
    public static string StepFile(long step) =>
        $"{Folder}/{StepPrefix}{step.ToString("D8", CultureInfo.InvariantCulture)}/{StateFile}";

    /// <summary>Periodic checkpoints, oldest first. A directory without its file (a writer that died) is passed over, as is any other name.</summary>
    public static IReadOnlyList<CheckpointEntry> List(string output)
    {
        var folder = Path.Combine(output, Folder);
        if (!Directory.Exists(folder))
            return [];
        return Directory.EnumerateDirectories(folder, StepPrefix + "*")
            .Select(directory => (Name: Path.GetFileName(directory)[StepPrefix.Length..], File: Path.Combine(directory, StateFile)))
            .Where(found => found.Name.Length >= 8 && found.Name.All(char.IsAsciiDigit) && File.Exists(found.File))
            .Select(found => (Known: long.TryParse(found.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var step), Entry: new CheckpointEntry(step, found.File)))
            .Where(found => found.Known)
            .Select(found => found.Entry)
            .OrderBy(entry => entry.Step)
            .ToList();
    }

    /// <summary>Looks from the newest backwards for a checkpoint that is whole, holds the step of its name and belongs to the run.</summary>
    /// <param name="output">The run's output directory.</param>
    /// <param name="runIdentity">The run's identity; null takes any.</param>
    public static NewestCheckpoint NewestVerified(string output, string? runIdentity)
    {
        var refused = new List<string>();
        foreach (var entry in List(output).Reverse())
        {
            try
            {
                var header = CheckpointFile.Verify(entry.File);
                if (header.Step != entry.Step)
                    refused.Add($"{entry.File}: holds step {header.Step}, not the step of its name");
                else if (runIdentity is not null && header.RunIdentity != runIdentity)
                    refused.Add($"{entry.File}: belongs to run identity {header.RunIdentity}, not {runIdentity}");
                else
                    return new NewestCheckpoint(entry, refused);
            }
            catch (TensorFileException e)
            {
                refused.Add(e.Message);
            }
        }

        return new NewestCheckpoint(null, refused);
    }

    /// <summary>Decides which periodic checkpoints go: all but the newest <paramref name="keep"/>.</summary>
    /// <param name="steps">Steps that have a checkpoint, in any order.</param>
    /// <param name="keep">How many stay, at least 1.</param>
    internal static IReadOnlyList<long> Outdated(IEnumerable<long> steps, int keep)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keep, 1);
        return steps.Distinct().OrderDescending().Skip(keep).Order().ToList();
    }

    /// <summary>Deletes a step's checkpoint: the file first, so that no half-deleted directory is ever listed.</summary>
    public static void Delete(string output, long step)
    {
        var file = Path.Combine(output, StepFile(step));
        var directory = Path.GetDirectoryName(file)!;
        if (!Directory.Exists(directory))
            return;
        File.Delete(file);
        Directory.Delete(directory, recursive: true);
    }
}
