using System.Security.Cryptography;
using System.Text.Json;

namespace AdderNet.Chaos;

/// <summary>A process of a run that faults strike.</summary>
internal sealed record Target(string Id, int ProcessId);

/// <summary>A run under way: where its files are, and what its processes are now.</summary>
internal abstract class ChaosRun(string config, string output) : IAsyncDisposable
{
    protected static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    public string Config => config;

    public string Output => output;

    public CommitLog Commits { get; } = new(Path.Combine(output, "metrics.jsonl"), TimeProvider.System);

    public abstract Target Coordinator { get; }

    public abstract IReadOnlyList<Target> Workers { get; }

    /// <summary>What the processes of the run printed or logged so far.</summary>
    public abstract string Said { get; }

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
        return await FirstAsync(
            commit =>
            {
                if (commit.Generation != generation)
                    (generation, since) = (commit.Generation, commit.Step);
                return commit.World == world && commit.Step - since >= steps;
            },
            $"a steady run of {world} workers", from);
    }

    /// <summary>Time from a moment to the first step that is committed in a later generation, by no larger world than this.</summary>
    public async Task<TimeSpan> RecoveredAsync(long moment, long generation, int world = int.MaxValue)
    {
        var commit = await FirstAsync(c => c.Generation > generation && c.World <= world && c.Stamp >= moment, "the next committed step", Math.Max(0, Commits.Count - 50));
        return TimeProvider.System.GetElapsedTime(moment, commit.Stamp);
    }

    /// <summary>Ends the run at its next boundary, after a checkpoint; it can be gone on with.</summary>
    public abstract Task StopAsync();

    private async Task<Commit> FirstAsync(Func<Commit, bool> condition, string what, int from)
    {
        try
        {
            return await Commits.FirstAsync(condition, Patience, what, from);
        }
        catch (ChaosException e)
        {
            throw new ChaosException($"{e.Message}; what the run said last:\n{string.Join('\n', Said.Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(30))}");
        }
    }

    public virtual async ValueTask DisposeAsync() => await Commits.DisposeAsync();
}
