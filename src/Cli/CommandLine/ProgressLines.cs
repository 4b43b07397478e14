namespace AdderNet.Cli.CommandLine;

/// <summary>Says how far a long work has come, about every two seconds. Safe for several threads.</summary>
/// <param name="say">Receives one line at a time.</param>
/// <param name="clock">Times the lines.</param>
internal sealed class ProgressLines(Action<string> say, TimeProvider clock)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private readonly Lock gate = new();
    private long last = clock.GetTimestamp();

    /// <summary>Says so much of a work without a known end.</summary>
    public void Show(string what, int done) => Show(() => $"{what} {done}");

    /// <summary>Says so much of so much.</summary>
    public void Show(string what, int done, int all) => Show(() => $"{what} {done} of {all}");

    private void Show(Func<string> line)
    {
        lock (gate)
        {
            if (clock.GetElapsedTime(last) < Interval)
                return;
            last = clock.GetTimestamp();
            say(line());
        }
    }
}
