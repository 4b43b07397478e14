
namespace AdderNet.Coordinator.Processes;

/// <summary>Starts a coordinator in its role.</summary>
internal static partial class Hosts
{
    /// <param name="role">active, standby or silo.</param>
    /// <param name="options">What it is started with.</param>
    /// <param name="cancellation">Ends the start.</param>
    public static async Task<ICoordinator> StartAsync(string role, CoordinatorOptions options, CancellationToken cancellation)
    {
        Task<ICoordinator>? silo = null;
        if (role == "silo")
            StartSilo(ref silo, options, cancellation);
        return silo is null ? await CoordinatorHost.StartAsync(options, cancellation) : await silo;
    }

    static partial void StartSilo(ref Task<ICoordinator>? silo, CoordinatorOptions options, CancellationToken cancellation);
}
