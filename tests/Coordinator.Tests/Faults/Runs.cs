using System.Text.Json;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Coordinator.Store;
using AdderNet.Core.Checkpoints;
using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;
using Xunit;

namespace AdderNet.Coordinator.Tests.Faults;

/// <summary>Small runs for coordinators that die, and what must hold of them in the end.</summary>
internal static class Runs
{
    public static SubmitRunRequest Describe(string output, int steps) => new()
    {
        Description = $$"""
            model: {name: lenet5}
            data: {format: synthetic, image_size: 28}
            batch: {global: 16, shards: 8}
            schedule: {epochs: 100, max_steps: {{steps}}}
            evaluation: {every_epochs: 1}
            elastic: {heartbeat_ms: 200, lease_ms: 1000}
            checkpoint: {every_steps: 1, keep: 1, path: {{output}}}
            """,
    };

    /// <summary>The run is complete: every step once, and the store knows the files that are there by their hashes.</summary>
    public static async Task AssertWholeAsync(IRunStore store, StoredRun run, int steps, Crew crew)
    {
        Assert.Equal((RunCondition.Completed, (long)steps), (run.Condition, run.Step));
        var lines = File.ReadAllLines(Path.Combine(run.Output, "metrics.jsonl")).Select(l => JsonDocument.Parse(l).RootElement).ToList();
        Assert.Equal(Enumerable.Range(1, steps), lines.Where(l => !l.TryGetProperty("top1", out _)).Select(l => l.GetProperty("step").GetInt32()));

        var records = await store.ReadRecordsAsync(run.RunId, default);
        Assert.Equal(Enumerable.Range(1, records.Generations.Length).Select(n => (long)n), records.Generations.Select(g => g.Number));
        foreach (var ((_, number), announcements) in crew.Announced.Where(a => a.Key.Run == run.RunId))
        {
            // Nobody ever heard of a generation that the store forgot, or of two under one number.
            var kept = Assert.Single(records.Generations, g => g.Number == (long)number);
            Assert.Equal(
                Crew.InWords((ulong)kept.BaseStep, kept.Members.Select(m => (m.WorkerId, (long)m.Range.First, (long)m.Range.End))),
                Assert.Single(announcements.Keys));
        }

        var history = await store.ReadHistoryAsync(run.RunId, default);
        foreach (var file in CheckpointDirectory.List(run.Output).Select(c => c.File).Append(Path.Combine(run.Output, "final.safetensors")))
        {
            var name = Path.GetRelativePath(run.Output, file);
            if (records.Checkpoints.SingleOrDefault(c => c.File == name) is { } record)
                Assert.Equal(AtomicFile.Sha256(file), record.Sha256);
            else // written, but its coordinator died before it was recorded, and the run has newer ones
                Assert.DoesNotContain(history, h => h.Kind == "checkpoint" && h.Text.StartsWith(name, StringComparison.Ordinal));
        }

        Assert.Contains(records.Checkpoints, c => c.Kind == CheckpointKind.Final);
        Assert.Contains(records.Checkpoints, c => c.Kind == CheckpointKind.Periodic && c.Step == steps);
        Assert.Equal(records.Generations.Length, history.Count(h => h.Kind == "generation"));
        Assert.Equal("completed", history[^1].Kind);
    }

    /// <summary>Asks until it gets an answer, as a person would; null: nobody answers any more.</summary>
    public static async Task<T?> AskAsync<T>(Uri coordinator, Func<RpcChannel, Task<T>> ask, Func<bool> isOver)
        where T : class
    {
        while (!isOver())
        {
            try
            {
                await using var client = RpcChannel.Create(coordinator);
                return await ask(client);
            }
            catch (RpcException e) when (e.Code is RpcStatusCode.Unavailable or RpcStatusCode.Cancelled or RpcStatusCode.Unknown or RpcStatusCode.Internal)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, default);
            }
        }

        return null;
    }

    /// <summary>Waits until every run is completed.</summary>
    /// <exception cref="TimeoutException">It takes too long; says how the runs stand.</exception>
    public static async Task<bool> FinishAsync(Uri coordinator, Func<bool> isOver)
    {
        ListRunsReply? runs = null;
        bool IsOver()
        {
            try
            {
                return isOver();
            }
            catch (TimeoutException e)
            {
                throw new TimeoutException($"{e.Message}; not completed: {string.Join("; ", runs?.Runs.Where(r => r.State != "completed") ?? [])}", e);
            }
        }

        while (!IsOver())
        {
            runs = await AskAsync(coordinator, client => client.UnaryAsync(CoordinationMethods.ListRuns, new ListRunsRequest(), null, default), IsOver);
            if (runs is not null && runs.Runs.All(r => r.State == "completed"))
                return true;
            Assert.DoesNotContain("failed", runs?.Runs.Select(r => r.State) ?? []);
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, default);
        }

        return false;
    }
}
