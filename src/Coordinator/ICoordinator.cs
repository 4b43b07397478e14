namespace AdderNet.Coordinator;

/// <summary>A coordinator in this process, whatever keeps its runs: embedded, or a silo of a cluster.</summary>
public interface ICoordinator : IAsyncDisposable
{
    /// <summary>Where the coordinator listens, with the port that it got.</summary>
    Uri Address { get; }

    /// <summary>Completes when the coordinator has stopped; faults with <see cref="Store.StoreException"/> when it can drive no run any longer.</summary>
    Task Completion { get; }

    /// <summary>Ends sessions and lets go of its runs. Those that are under way stay so: whoever takes up the store next goes on with them.</summary>
    Task StopAsync();
}
