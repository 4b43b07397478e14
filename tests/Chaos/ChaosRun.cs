using System.Security.Cryptography;
using System.Text.Json;

namespace AdderNet.Chaos;

/// <summary>A process of a run that faults strike.</summary>
internal sealed record Target(string Id, int ProcessId);

/// <summary>A run under way: where its files are, and what its processes are now.</summary>
internal abstract class ChaosRun(string config, string output) : IAsyncDisposable
{
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public string Config => config;

    public string Output => output;

    public CommitLog Commits { get; } = new(Path.Combine(output, "metrics.jsonl"), TimeProvider.System);

    public abstract Target Coordinator { get; }

    public abstract IReadOnlyList<Target> Workers { get; }

    /// <summary>SHA-256 of a directory's final.safetensors.</summary>
    public static string FinalHash(string directory) =>
        Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(directory, "final.safetensors"))));

    /// <summary>The steps of metrics.jsonl as they stand.</summary>
    public static IReadOnlyList<long> StepLines(string directory) =>
        [.. File.ReadLines(Path.Combine(directory, "metrics.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)
            .Where(line => line.TryGetProperty("learning_rate", out _)).Select(line => line.GetProperty("step").GetInt64())];

    /// <summary>Waits until a world of so many workers has made a number of steps in one generation.</summary>
    public async Task<Commit> SteadyAsync(int world, int steps)
    {
        var from = Commits.Count;
        var (generation, since) = (-1L, 0L);
        return await Commits.FirstAsync(
            commit =>
            {
                if (commit.Generation != generation)
                    (generation, since) = (commit.Generation, commit.Step);
                return commit.World == world && commit.Step - since >= steps;
            },
            Patience, $"a steady run of {world} workers", from);
    }

    /// <summary>Time from a moment to the first step that is committed in a later generation.</summary>
    public async Task<TimeSpan> RecoveredAsync(long moment, long generation)
    {
        var commit = await Commits.FirstAsync(c => c.Generation > generation && c.Stamp >= moment, Patience, "the next committed step", Math.Max(0, Commits.Count - 50));
        return TimeProvider.System.GetElapsedTime(moment, commit.Stamp);
    }

    public virtual async ValueTask DisposeAsync() => await Commits.DisposeAsync();
}
