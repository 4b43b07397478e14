using System.Threading.Channels;
using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Session;

/// <summary>Everything that happens to this member, in the sequence in which it is decided on. Thread-safe for those who post.</summary>
internal sealed class MemberInbox(TimeProvider time)
{
    private readonly Channel<MemberEvent> events = Channel.CreateUnbounded<MemberEvent>(new UnboundedChannelOptions { SingleReader = true });

    /// <summary>Takes in an event; nothing after <see cref="Close"/>.</summary>
    public void Post(MemberEvent @event) => events.Writer.TryWrite(@event);

    /// <summary>No more events come: <see cref="NextAsync"/> throws <paramref name="reason"/> after the last one.</summary>
    public void Close(Exception reason) => events.Writer.TryComplete(reason);

    /// <summary>The next event, or after <paramref name="patience"/> a <see cref="Tick"/>.</summary>
    public async ValueTask<MemberEvent> NextAsync(TimeSpan patience, CancellationToken cancellation)
    {
        if (events.Reader.TryRead(out var ready))
            return ready;
        using var wake = patience == Timeout.InfiniteTimeSpan ? null : new CancellationTokenSource(patience, time);
        using var either = wake is null ? null : CancellationTokenSource.CreateLinkedTokenSource(cancellation, wake.Token);
        try
        {
            return await events.Reader.ReadAsync(either?.Token ?? cancellation);
        }
        catch (OperationCanceledException) when (wake is { IsCancellationRequested: true } && !cancellation.IsCancellationRequested)
        {
            return new Tick();
        }
        catch (ChannelClosedException e) when (e.InnerException is not null)
        {
            throw e.InnerException;
        }
    }
}
