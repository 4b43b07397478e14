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
        End();
    }

    /// <summary>Ends the session at once: the worker opens another one.</summary>
    public void End()
    {
        try
        {
            closed.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended already.
        }
    }

    /// <summary>No more messages come; what is queued is still sent.</summary>
    public void Complete() => outbound.Writer.TryComplete();

    public void Dispose() => closed.Dispose();
}

/// <summary>Takes messages for workers by the numbers of their sessions.</summary>
internal interface ISessionSender
{
    /// <summary>Queues a message; a session that is over drops it.</summary>
    void Send(long session, CoordinatorMessage message);
}

/// <summary>The open sessions of this process, by number.</summary>
/// <param name="first">Numbers begin behind this one, so that those of several processes need not meet.</param>
/// <param name="log">Where to log.</param>
internal sealed class SessionTable(long first, ILogger log) : ISessionSender
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<long, SessionLink> links = new();
    private long last = first;

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

    /// <summary>Ends a session; nothing when it is over.</summary>
    public void End(long session)
    {
        if (links.TryGetValue(session, out var link))
            link.End();
    }

    public void Remove(SessionLink link)
    {
        links.TryRemove(link.Id, out _);
        link.Complete();
    }
}
