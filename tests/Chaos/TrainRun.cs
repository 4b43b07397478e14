using System.Text.Json;

namespace AdderNet.Chaos;

/// <summary>A run that <c>addernet train</c> starts and supervises.</summary>
internal sealed class TrainRun : ChaosRun
{
    private readonly Launched train;

    private TrainRun(string config, string output, Launched train)
        : base(config, output) => this.train = train;

    public override Target Coordinator => new("coordinator", Processes().GetProperty("coordinator").GetInt32());

    public string Url => Processes().GetProperty("url").GetString()!;

    public override IReadOnlyList<Target> Workers =>
        [.. Processes().GetProperty("workers").EnumerateArray().Select(w => new Target(w.GetProperty("id").GetString()!, w.GetProperty("pid").GetInt32()))];

    public override string Said => $"{train.Output}\n{CoordinatorLog()}";

    public static TrainRun Start(string config, string output, int workers, params IEnumerable<string> more) => new(
        config, output, Launched.Start(["train", config, "--output", output, "--workers", $"{workers}", "--threads", "1", .. more]));

    /// <summary>Ctrl-C: the run stops at the next boundary, after a checkpoint.</summary>
    public override async Task StopAsync()
    {
        train.Signal(Signals.Interrupt);
        await train.WaitAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await train.DisposeAsync();
        await base.DisposeAsync();
    }

    /// <summary>What the coordinator has logged so far; empty before it began.</summary>
    public string CoordinatorLog()
    {
        var file = Path.Combine(Output, "logs", "coordinator.log");
        if (!File.Exists(file))
            return "";
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }

    private JsonElement Processes()
    {
        var file = Path.Combine(Output, "processes.json");
        return File.Exists(file)
            ? JsonDocument.Parse(File.ReadAllText(file)).RootElement
            : throw new ChaosException($"there is no {file} yet: {train.Output}");
    }
}
