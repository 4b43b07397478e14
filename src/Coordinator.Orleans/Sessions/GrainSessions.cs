using System.Collections.Concurrent;
using AdderNet.Coordinator.Hosting;
using AdderNet.Protos.V1;

namespace AdderNet.Coordinator.Silos.Sessions;

/// <summary>The sessions of one run, whichever silos hold them.</summary>
/// <param name="lost">Told of each session, with its worker, whose silo cannot be reached.</param>
/// <param name="time">The clock.</param>
internal sealed class GrainSessions(Action<long, string> lost, TimeProvider time) : ISessionSender, IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<long, (string WorkerId, Outbox Outbox)> sessions = new();
    private readonly ConcurrentDictionary<ISiloDoor, Outbox> outboxes = new();

    /// <summary>A worker's session came, held by the silo of this door.</summary>
    public void Open(long session, string workerId, ISiloDoor door) =>
        sessions[session] = (workerId, outboxes.GetOrAdd(door, d => new Outbox(d, Fail)));

    public bool Knows(long session) => sessions.ContainsKey(session);

    public void Close(long session) => sessions.TryRemove(session, out _);

    public void Send(long session, CoordinatorMessage message)
    {
        if (sessions.TryGetValue(session, out var known))
            known.Outbox.Put(session, message);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var outbox in outboxes.Values)
            outbox.Complete();
        await Task.WhenAny(Task.WhenAll(outboxes.Values.Select(o => o.Carrying)), Task.Delay(Patience, time, CancellationToken.None));
    }

    private void Fail(Outbox outbox, Exception why)
    {
        foreach (var (door, _) in outboxes.Where(o => o.Value == outbox))
            outboxes.TryRemove(door, out _);
        foreach (var (session, known) in sessions.Where(s => s.Value.Outbox == outbox))
        {
            sessions.TryRemove(session, out _);
            lost(session, known.WorkerId);
        }
    }
}
