using AdderNet.Coordinator;

namespace AdderNet.Cli.Commands;

/// <summary>The hosts that this build contains: what keeps the runs of a coordinator.</summary>
internal static partial class CoordinatorHosts
{
    public const string Embedded = "embedded";
    public const string Orleans = "orleans";

    private static readonly Dictionary<string, Func<CoordinatorOptions, CancellationToken, Task<ICoordinator>>> Starts = Find();

    /// <summary>Their names, for the help and for errors.</summary>
    public static IEnumerable<string> Names => Starts.Keys;

    /// <summary>Starts a coordinator on a host of <see cref="Names"/>.</summary>
    public static Task<ICoordinator> StartAsync(string host, CoordinatorOptions options, CancellationToken cancellation) => Starts[host](options, cancellation);

    /// <summary>In a build with -p:Orleans=true only.</summary>
    static partial void AddSilos(Dictionary<string, Func<CoordinatorOptions, CancellationToken, Task<ICoordinator>>> starts);

    private static Dictionary<string, Func<CoordinatorOptions, CancellationToken, Task<ICoordinator>>> Find()
    {
        var starts = new Dictionary<string, Func<CoordinatorOptions, CancellationToken, Task<ICoordinator>>>
        {
            [Embedded] = async (options, cancellation) => await CoordinatorHost.StartAsync(options, cancellation).ConfigureAwait(false),
        };
        AddSilos(starts);
        return starts;
    }
}
