using System.Collections.Concurrent;
using AdderNet.Coordinator.Tests.Hosting;
using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;

namespace AdderNet.Coordinator.Tests.Faults;

/// <summary>Workers that outlive their coordinators: each comes back with what it holds, serves its run to the end, and then waits for the next.</summary>
internal sealed class Crew : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly CancellationTokenSource stop = new();
    private readonly Task[] working;
    private Uri coordinator;

    public Crew(Uri coordinator, params string[] names)
    {
        this.coordinator = coordinator;
        working = [.. names.Select(WorkAsync)];
    }

    /// <summary>Every generation that any worker heard of: its members and base in words, each different announcement once.</summary>
    public ConcurrentDictionary<(string Run, ulong Number), ConcurrentDictionary<string, bool>> Announced { get; } = new();

    /// <summary>Called before a vote; delays it.</summary>
    public Func<ulong, Task> BeforeVote { get; init; } = _ => Task.CompletedTask;

    public static string InWords(ulong baseStep, IEnumerable<(string Id, long First, long End)> members) =>
        $"from {baseStep}: {string.Join(", ", members.Select(m => $"{m.Id} {m.First}-{m.End}"))}";

    /// <summary>From now on the coordinator is looked for here.</summary>
    public void MoveTo(Uri address) => Volatile.Write(ref coordinator, address);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(working);
        stop.Dispose();
    }

    private async Task WorkAsync(string name)
    {
        var (run, applied) = ("", 0UL);
        while (!stop.IsCancellationRequested)
        {
            await using var worker = new FakeWorker(Volatile.Read(ref coordinator), name, wantedRun: run, applied: applied)
            {
                OnGeneration = (id, number, started) => Announced.GetOrAdd((id, number), _ => new())[InWords(
                    started.BaseStep, started.Members.Select(m => (m.WorkerId, (long)m.FirstShard, (long)m.EndShard)))] = true,
                BeforeVote = async step =>
                {
                    await BeforeVote(step);
                    return true;
                },
            };
            RunEnded? ended = null;
            try
            {
                ended = await worker.Ended.WaitAsync(stop.Token);
            }
            catch (Exception e) when (e is RpcException or IOException or OperationCanceledException)
            {
                // The coordinator is gone, or the test is over.
            }

            await Task.Delay(Pause, TimeProvider.System, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            (run, applied) = ended is null && worker.Refusal is null && worker.Run.Length > 0 ? (worker.Run, worker.Applied) : ("", 0UL);
        }
    }
}
