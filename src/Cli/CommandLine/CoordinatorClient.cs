using System.CommandLine;
using AdderNet.Protos.Rpc;

namespace AdderNet.Cli.CommandLine;

/// <summary>Calls a coordinator for a person, the first of several that answers: its failures become one line.</summary>
internal sealed class CoordinatorClient(IReadOnlyList<Uri> addresses) : IAsyncDisposable
{
    /// <summary>A coordinator on a busy machine may take tens of seconds to answer its first call.</summary>
    private static readonly RpcCallOptions Patience = new() { Deadline = TimeSpan.FromMinutes(1) };

    /// <summary>Where coordinators listen when nothing else is said.</summary>
    public const string DefaultAddress = "http://127.0.0.1:7400";

    private readonly IReadOnlyList<RpcChannel> channels = [.. addresses.Select(address => RpcChannel.Create(address))];
    private int place;

    /// <summary>To the coordinator that answered last.</summary>
    public RpcChannel Channel => channels[place];

    /// <summary>The option that says where the coordinator is.</summary>
    public static Option<IReadOnlyList<Uri>?> AddressOption() =>
        EnvironmentOption.Urls("--coordinator", "Where the coordinator listens; several that answer for the same runs are tried in turn", DefaultAddress, DefaultAddress);

    /// <exception cref="CommandFailedException">The coordinator is not there, or refuses; its own words are in the message.</exception>
    public async Task<TResponse> CallAsync<TRequest, TResponse>(RpcMethod<TRequest, TResponse> method, TRequest request, CancellationToken cancellation)
    {
        for (var failed = 0; ; failed++)
        {
            try
            {
                return await Channel.UnaryAsync(method, request, Patience, cancellation).ConfigureAwait(false);
            }
            catch (RpcException e) when (e.Code == RpcStatusCode.Unavailable && failed < channels.Count - 1)
            {
                place = (place + 1) % channels.Count;
            }
            catch (RpcException e)
            {
                throw Explain(e);
            }
        }
    }

    /// <summary>What a person needs to know of a failed call.</summary>
    public CommandFailedException Explain(RpcException failure) => failure.Code == RpcStatusCode.Unavailable
        ? new CommandFailedException($"no coordinator answers at {string.Join(" or ", addresses)}: {failure.Detail}")
        : new CommandFailedException(failure.Detail, failure.Code == RpcStatusCode.InvalidArgument ? ExitCode.WrongInput : ExitCode.NotDone);

    public async ValueTask DisposeAsync()
    {
        foreach (var channel in channels)
            await channel.DisposeAsync().ConfigureAwait(false);
    }
}
