using System.Threading.Channels;
using AdderNet.Protos.V1;
using Google.Protobuf;

namespace AdderNet.Coordinator.Silos.Sessions;

/// <summary>Carries a run's messages to the sessions of one silo, in order and all that waits at a time.</summary>
internal sealed class Outbox
{
    private readonly Channel<(long Session, CoordinatorMessage Message)> waiting =
        Channel.CreateUnbounded<(long, CoordinatorMessage)>(new UnboundedChannelOptions { SingleReader = true });

    private readonly ISiloDoor door;
    private readonly Action<Outbox, Exception> failed;

    /// <param name="door">The silo.</param>
    /// <param name="failed">Told once when the silo cannot be reached; nothing is carried any more then.</param>
    public Outbox(ISiloDoor door, Action<Outbox, Exception> failed)
    {
        (this.door, this.failed) = (door, failed);
        Carrying = Task.Run(CarryAsync);
    }

    /// <summary>Ends when <see cref="Complete"/> was called and all is carried.</summary>
    public Task Carrying { get; }

    public void Put(long session, CoordinatorMessage message) => waiting.Writer.TryWrite((session, message));

    /// <summary>No more messages come.</summary>
    public void Complete() => waiting.Writer.TryComplete();

    private async Task CarryAsync()
    {
        var deliveries = new List<Delivery>();
        var sessions = new List<long>();
        try
        {
            while (await waiting.Reader.WaitToReadAsync())
            {
                deliveries.Clear();
                CoordinatorMessage? last = null;
                while (waiting.Reader.TryRead(out var next))
                {
                    // What is broadcast is one message for many sessions, put in one after another.
                    if (last is not null && !ReferenceEquals(last, next.Message))
                        Close(last);
                    last = next.Message;
                    sessions.Add(next.Session);
                }

                Close(last!);
                await door.DeliverAsync([.. deliveries]);
            }
        }
        catch (Exception e)
        {
            waiting.Writer.TryComplete();
            failed(this, e);
        }

        void Close(CoordinatorMessage message)
        {
            deliveries.Add(new Delivery([.. sessions], message.ToByteArray()));
            sessions.Clear();
        }
    }
}
