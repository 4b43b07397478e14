namespace AdderNet.Cli.Training;

/// <summary>What <c>train</c> was asked to do.</summary>
internal sealed record TrainRequest
{
    public required string Config { get; init; }

    public IReadOnlyList<string> Overrides { get; init; } = [];

    /// <summary>Worker processes, at least 1.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>Compute threads of each worker; null: the cores shared out.</summary>
    public int? Threads { get; init; }

    /// <summary>Threads of each worker that decode samples; null: half of <see cref="Threads"/>.</summary>
    public int? DecodeThreads { get; init; }

    public string? Data { get; init; }

    public string? Output { get; init; }

    public string? Init { get; init; }

    public bool Replace { get; init; } = true;

    public string LogFormat { get; init; } = CommandLine.LogOptions.Text;
}
