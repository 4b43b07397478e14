using AdderNet.Cli.CommandLine;
using AdderNet.Core.Configuration;

namespace AdderNet.Cli.Training;

/// <summary>A run's output directory, held by one <c>train</c> at a time.</summary>
internal sealed class OutputFolder : IDisposable
{
    private const string LockName = ".train.lock";
    private readonly FileStream held;

    private OutputFolder(FileStream held) => this.held = held;

    /// <summary>Refuses a directory that holds another run.</summary>
    /// <exception cref="CommandFailedException">It does; the message names every key that differs.</exception>
    public static void RequireSameRun(string directory, RunDescription description)
    {
        var existing = Path.Combine(directory, "run.yaml");
        if (!File.Exists(existing))
            return;
        RunDescription before;
        try
        {
            before = RunDescriptionFile.Load(existing);
        }
        catch (InvalidDescriptionException e)
        {
            throw new CommandFailedException($"{directory} holds a run that cannot be read: {e.Message}");
        }

        var difference = RunIdentity.Difference(before, description);
        if (difference.Count > 0)
            throw new CommandFailedException($"{directory} holds another run; it differs in {string.Join("; ", difference)}; give another --output");
    }

    /// <summary>Creates the directory and keeps other <c>train</c> commands out of it until disposed or dead.</summary>
    /// <exception cref="CommandFailedException">It cannot be created, or another command is at work in it.</exception>
    public static OutputFolder Enter(string directory)
    {
        try
        {
            Directory.CreateDirectory(Path.Combine(directory, "logs"));
            return new OutputFolder(new FileStream(Path.Combine(directory, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (UnauthorizedAccessException e)
        {
            throw new CommandFailedException($"cannot write to the output folder {directory}: {e.Message}");
        }
        catch (IOException) when (File.Exists(Path.Combine(directory, LockName)))
        {
            throw new CommandFailedException($"another train command is at work in {directory} (see its {ProcessesFile.Name}); give another --output, or end that one first");
        }
        catch (IOException e)
        {
            throw new CommandFailedException($"cannot create the output folder {directory}: {(File.Exists(directory) ? "there is a file of that name" : e.Message)}");
        }
    }

    public void Dispose() => held.Dispose();
}
