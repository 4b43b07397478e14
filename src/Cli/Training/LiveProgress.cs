using System.Threading.Channels;
using AdderNet.Protos.V1;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace AdderNet.Cli.Training;

/// <summary>A view that stays in its place on a terminal.</summary>
internal sealed class LiveProgress : IProgressView
{
    private const int NotesKept = 6;

    // Rows of the figures and their frame, one more where the reason wraps, and one for the cursor.
    private const int OtherRows = 10;

    private readonly Lock gate = new();
    private readonly Queue<string> notes = new();
    private readonly Channel<bool> changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly IAnsiConsole console;
    private readonly Task drawing;
    private RunStatus? status;
    private ulong lastEvaluated;

    public LiveProgress(IAnsiConsole console)
    {
        this.console = console;
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
        if (notes.Count > NotesKept)
            notes.Dequeue();
    }

    private IRenderable Draw()
    {
        lock (gate)
        {
            var rows = new List<IRenderable>();
            if (status is { } now)
                rows.Add(Figures(now));
            rows.AddRange(ThatFit().Select(note => new Text(note, new Style(Color.Grey))));
            return new Rows(rows);
        }
    }

    // The newest notes that the window has rows for: what is taller than the window cannot be redrawn in its place.
    private IEnumerable<string> ThatFit()
    {
        var free = console.Profile.Height - OtherRows;
        return notes.Reverse().TakeWhile(note => (free -= 1 + (note.Length - 1) / Math.Max(1, console.Profile.Width)) >= 0).Reverse();
    }

    private static Panel Figures(RunStatus now)
    {
        var done = now.TotalSteps == 0 ? 0 : (double)now.Step / now.TotalSteps;
        var bar = (int)Math.Round(done * 40);
        var grid = new Grid();
        for (var column = 0; column < 4; column++)
            grid.AddColumn(new GridColumn().NoWrap().Padding(0, 0, 1, 0));
        Row("step", ProgressText.Steps(now)["step ".Length..], "epoch", $"{now.Epoch}/{now.TotalEpochs}");
        Row("loss", ProgressText.Loss(now), "top-1", ProgressText.Top1(now) + (now.BestTop1 > 0 ? $" (best {ProgressText.Percent(now.BestTop1)[..^2]})" : ""));
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
