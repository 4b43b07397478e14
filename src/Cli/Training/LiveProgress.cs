using System.Threading.Channels;
using AdderNet.Protos.V1;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace AdderNet.Cli.Training;

/// <summary>A view that stays in its place on a terminal.</summary>
internal sealed class LiveProgress : IProgressView
{
    private const int NotesShown = 6;

    private readonly Lock gate = new();
    private readonly Queue<string> notes = new();
    private readonly Channel<bool> changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Task drawing;
    private RunStatus? status;
    private ulong lastEvaluated;

    public LiveProgress(IAnsiConsole console)
    {
        drawing = console.Live(new Text("starting ...")).AutoClear(false).StartAsync(async context =>
        {
            while (await changes.Reader.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false))
            {
                changes.Reader.TryRead(out _);
                context.UpdateTarget(Draw());
            }

            context.UpdateTarget(Draw());
        });
    }

    public void Show(RunStatus newest)
    {
        lock (gate)
        {
            status = newest;
            if (newest.LastEvaluatedStep > lastEvaluated)
            {
                lastEvaluated = newest.LastEvaluatedStep;
                Remember(ProgressText.EvaluationLine(newest));
            }
        }

        changes.Writer.TryWrite(true);
    }

    public void Note(string line)
    {
        lock (gate)
            Remember(line);
        changes.Writer.TryWrite(true);
    }

    public async ValueTask DisposeAsync()
    {
        changes.Writer.TryComplete();
        await drawing.ConfigureAwait(false);
    }

    private void Remember(string line)
    {
        notes.Enqueue(line);
        if (notes.Count > NotesShown)
            notes.Dequeue();
    }

    private IRenderable Draw()
    {
        lock (gate)
        {
            var rows = new List<IRenderable>();
            if (status is { } now)
                rows.Add(Figures(now));
            rows.AddRange(notes.Select(note => new Text(note, new Style(Color.Grey))));
            return new Rows(rows);
        }
    }

    private static Panel Figures(RunStatus now)
    {
        var done = now.TotalSteps == 0 ? 0 : (double)now.Step / now.TotalSteps;
        var bar = (int)Math.Round(done * 40);
        var grid = new Grid().AddColumns(4);
        Row("step", $"{now.Step}/{now.TotalSteps}", "epoch", $"{now.Epoch}/{now.TotalEpochs}");
        Row("loss", now.Loss.ToString("0.0000", null), "top-1", ProgressText.Top1(now) + (now.BestTop1 > 0 ? $" (best {ProgressText.Percent(now.BestTop1)})" : ""));
        Row("speed", $"{now.SamplesPerSecond:0} samples/s", "left", ProgressText.Duration(now.SecondsLeft));
        Row("workers", $"{now.Workers.Count}", "generation", $"{now.Generation}");
        return new Panel(new Rows(new Text(new string('█', bar) + new string('░', 40 - bar) + $" {done * 100:0} %"), grid, new Text(ProgressText.State(now), new Style(Color.Grey))))
        {
            Header = new PanelHeader(Markup.Escape(now.Name.Length > 0 ? now.Name : now.RunId)),
        };

        void Row(string name, string value, string otherName, string otherValue) => grid.AddRow(
            new Text(name, new Style(Color.Grey)), new Text(value), new Text(otherName, new Style(Color.Grey)), new Text(otherValue));
    }
}
