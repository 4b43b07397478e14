using AdderNet.Coordinator.Hosting;
using AdderNet.Protos.V1;

namespace AdderNet.Coordinator.Silos.Sessions;

/// <summary>Where a silo takes messages for the workers whose sessions it holds.</summary>
internal interface ISiloDoor : IGrainObserver
{
    /// <summary>Hands messages to sessions, in order; those that are over drop them.</summary>
    Task DeliverAsync(Delivery[] deliveries);

    /// <summary>Ends a session: its worker opens another one.</summary>
    Task EndAsync(long session);
}

/// <inheritdoc/>
internal sealed class SiloDoor(SessionTable sessions) : ISiloDoor
{
    public Task DeliverAsync(Delivery[] deliveries)
    {
        foreach (var delivery in deliveries)
        {
            var message = CoordinatorMessage.Parser.ParseFrom(delivery.Message);
            foreach (var session in delivery.Sessions)
                sessions.Send(session, message);
        }

        return Task.CompletedTask;
    }

    public Task EndAsync(long session)
    {
        sessions.End(session);
        return Task.CompletedTask;
    }
}
