using AdderNet.Protos.V1;

namespace AdderNet.Cli.Training;

/// <summary>Lines for files and pipes: one about every two seconds, one for each evaluation, one when the state changes.</summary>
internal sealed class PlainProgress(TextWriter output, TimeProvider clock) : IProgressView
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private long? lastLine;
    private ulong lastStep;
    private ulong lastEvaluated;
    private string lastState = "";

    public void Show(RunStatus status)
    {
        lock (gate)
        {
            if (status.LastEvaluatedStep > lastEvaluated)
            {
                lastEvaluated = status.LastEvaluatedStep;
                output.WriteLine(ProgressText.EvaluationLine(status));
            }

            // Training, evaluating and checkpointing follow one another all the time; only what holds a run up is news.
            var state = status.State is "waiting" or "paused" ? ProgressText.State(status) : "";
            if (state != lastState && state.Length > 0)
                output.WriteLine(state);
            lastState = state;

            if (state.Length > 0)
                return;
            var now = clock.GetTimestamp();
            if (status.Step == lastStep || status.SamplesPerSecond == 0 || (lastLine is { } last && clock.GetElapsedTime(last, now) < Interval))
                return;
            lastLine = now;
            lastStep = status.Step;
            output.WriteLine(ProgressText.Line(status));
        }
    }

    public void Note(string line)
    {
        lock (gate)
            output.WriteLine(line);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
