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

    public static TrainRun Start(string config, string output, int workers, params IEnumerable<string> more) => new(
        config, output, Launched.Start(["train", config, "--output", output, "--workers", $"{workers}", "--threads", "1", .. more]));

    /// <summary>Waits until the run is completed.</summary>
    public async Task CompleteAsync()
    {
        await train.WaitAsync();
        if (train.ExitCode != 0)
            throw new ChaosException($"train ended with {train.ExitCode}: {train.Output}");
    }

    /// <summary>Ctrl-C: the run stops at the next boundary, after a checkpoint.</summary>
    public async Task StopAsync()
    {
        train.Signal(Signals.Interrupt);
        await train.WaitAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await train.DisposeAsync();
        await base.DisposeAsync();
    }

    private JsonElement Processes()
    {
        var file = Path.Combine(Output, "processes.json");
        return File.Exists(file)
            ? JsonDocument.Parse(File.ReadAllText(file)).RootElement
            : throw new ChaosException($"there is no {file} yet: {train.Output}");
    }
}
