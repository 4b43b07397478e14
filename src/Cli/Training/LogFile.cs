namespace AdderNet.Cli.Training;

/// <summary>What a child process logs, appended to a file.</summary>
/// <param name="path">Its folder exists.</param>
internal sealed class LogFile(string path)
{
    private bool writable = true;

    /// <summary>A full disk must not block the child: from the first line that cannot be written on, lines are dropped.</summary>
    public void Append(string line)
    {
        try
        {
            if (writable)
                File.AppendAllText(path, line + "\n");
        }
        catch (IOException)
        {
            writable = false;
        }
    }
}
