namespace AdderNet.Simulation.Store;

/// <summary>A file of state: what it holds, and whether its own hash would still verify.</summary>
internal sealed record StateFile(long Step, ulong State, bool IsWhole, bool WeightsOnly)
{
    public const long Bytes = 4096;

    /// <summary>Stands for the hash of its bytes.</summary>
    public string Sha256 => $"{Step}-{State:x16}-{(WeightsOnly ? "weights" : "state")}{(IsWhole ? "" : "-rotten")}";
}

/// <summary>The output directory that coordinator and workers share: files of state and metrics.jsonl.</summary>
internal sealed class SimulatedDisk
{
    private readonly SortedDictionary<string, StateFile> files = new(StringComparer.Ordinal);

    /// <summary>
    /// metrics.jsonl: steps and evaluations in the order of their lines. Cutting puts a new file in the place of the old one, so
    /// that who still has that one open, since it does not know yet that another coordinator took over, writes into nowhere.
    /// </summary>
    public List<MetricsLine> Metrics { get; private set; } = [];

    /// <summary>
    /// Steps whose lines cannot be had any more: a coordinator that could reach nobody cut them off and began behind them,
    /// and then a replica came back that was ahead.
    /// </summary>
    public HashSet<long> Forgotten { get; } = [];

    public IEnumerable<string> Names => files.Keys;

    /// <summary>Why an announced file does not count, or null.</summary>
    public string? ProblemOf(string file, string sha256) =>
        Read(file) is not { } found ? "it is not there" : found.Sha256 == sha256 ? null : $"its SHA-256 is not the {sha256} that was announced";

    public StateFile? Read(string file) => files.GetValueOrDefault(file);

    public void Write(string file, StateFile content) => files[file] = content;

    public void Delete(string file) => files.Remove(file);

    /// <summary>Bits of a file rot.</summary>
    public void Corrupt(string file) => files[file] = files[file] with { IsWhole = false };

    /// <summary>Periodic checkpoints, newest first.</summary>
    public IEnumerable<(string File, StateFile Content)> Checkpoints() => files
        .Where(f => f.Key.Contains("/step-", StringComparison.Ordinal) && !f.Key.Contains(".tmp", StringComparison.Ordinal))
        .OrderByDescending(f => f.Value.Step)
        .Select(f => (f.Key, f.Value));

    /// <summary>Drops lines beyond a step; adds the step's own if they are missing and known.</summary>
    public void CutMetrics(long step, MetricsLine? restored, MetricsLine? evaluated)
    {
        // The evaluation at the last step that has a line may have been among what was cut off, too.
        var last = Metrics.LastOrDefault()?.Step ?? 0;
        for (var lost = last < step ? last : last + 1; lost < step || (lost == step && restored is null); lost++)
            Forgotten.Add(lost);
        Metrics = [.. Metrics.Where(l => l.Step <= step)];
        if (restored is not null && !Metrics.Exists(l => l.Step == step && !l.IsEvaluation))
        {
            var at = Metrics.FindIndex(l => l.Step == step);
            Metrics.Insert(at < 0 ? Metrics.Count : at, restored);
        }

        if (evaluated is not null && !Metrics.Exists(l => l.Step == step && l.IsEvaluation))
            Metrics.Add(evaluated);
    }
}

/// <summary>One line of metrics.jsonl.</summary>
internal sealed record MetricsLine(long Step, bool IsEvaluation, double Value);
