using System.Threading.Channels;
using AdderNet.Protos.V1;
using Microsoft.Extensions.Logging;

namespace AdderNet.Coordinator.Hosting;

/// <summary>The coordinator's end of one worker's session: an ordered, bounded queue of messages to it.</summary>
internal sealed class SessionLink(long id, string workerId, ILogger log) : IDisposable
{
    /// <summary>A worker that leaves so many messages unread is not following the run.</summary>
    private const int MostUnread = 1024;

    private readonly Channel<CoordinatorMessage> outbound = Channel.CreateBounded<CoordinatorMessage>(
        new BoundedChannelOptions(MostUnread) { SingleReader = true });

    private readonly CancellationTokenSource closed = new();

    public long Id { get; } = id;

    public string WorkerId { get; } = workerId;

    /// <summary>Cancelled when the session must end at once.</summary>
    public CancellationToken Closed => closed.Token;

    public ChannelReader<CoordinatorMessage> Outbound => outbound.Reader;

    /// <summary>Queues a message; a session that is over drops it.</summary>
    public void Send(CoordinatorMessage message)
    {
        if (outbound.Writer.TryWrite(message) || outbound.Reader.Completion.IsCompleted || closed.IsCancellationRequested)
            return;
        CoordinatorLog.SessionOverflow(log, Id, WorkerId);
        closed.Cancel();
    }

    /// <summary>No more messages come; what is queued is still sent.</summary>
    public void Complete() => outbound.Writer.TryComplete();

    public void Dispose() => closed.Dispose();
}

/// <summary>The open sessions, by number.</summary>
internal sealed class SessionTable(ILogger log)
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<long, SessionLink> links = new();
    private long last;

    public SessionLink Open(string workerId)
    {
        var link = new SessionLink(Interlocked.Increment(ref last), workerId, log);
        links[link.Id] = link;
        return link;
    }

    public void Send(long session, CoordinatorMessage message)
    {
        if (links.TryGetValue(session, out var link))
            link.Send(message);
    }

    public void Remove(SessionLink link)
    {
        links.TryRemove(link.Id, out _);
        link.Complete();
    }
}
