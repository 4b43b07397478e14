using System.Threading.Channels;
using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Session;

/// <summary>
/// Orders in the sequence they came, between the session that receives them and the loop that follows them. An order that
/// makes the present work pointless (a new generation, a new session, the run's end) also cancels that work.
/// </summary>
internal sealed class OrderInbox : IDisposable
{
    private readonly Channel<Order> orders = Channel.CreateUnbounded<Order>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Lock gate = new();
    private CancellationTokenSource? work;
    private int interruptions;

    /// <summary>Takes in an order.</summary>
    public void Post(Order order)
    {
        lock (gate)
        {
            if (!orders.Writer.TryWrite(order))
                return;
            if (!Interrupts(order))
                return;
            interruptions++;
            work?.Cancel();
        }
    }

    /// <summary>No more orders come: <see cref="NextAsync"/> throws <paramref name="reason"/> after the last one.</summary>
    public void Close(Exception reason)
    {
        lock (gate)
        {
            orders.Writer.TryComplete(reason);
            interruptions++;
            work?.Cancel();
        }
    }

    /// <summary>The next order.</summary>
    public async ValueTask<Order> NextAsync(CancellationToken cancellation)
    {
        Order order;
        try
        {
            order = await orders.Reader.ReadAsync(cancellation);
        }
        catch (ChannelClosedException e) when (e.InnerException is not null)
        {
            throw e.InnerException;
        }

        if (Interrupts(order))
        {
            lock (gate)
                interruptions--;
        }

        return order;
    }

    /// <summary>A token for the work on one order: cancelled by <paramref name="cancellation"/> or by an interrupting order that came or comes.</summary>
    public CancellationToken BeginWork(CancellationToken cancellation)
    {
        lock (gate)
        {
            work?.Dispose();
            work = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            if (interruptions > 0)
                work.Cancel();
            return work.Token;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
        {
            work?.Dispose();
            work = null;
        }
    }

    private static bool Interrupts(Order order) => order is GenerationOrder or WelcomeOrder or EndOrder or RefusedOrder;
}
