using System.CommandLine;
using AdderNet.Protos.Rpc;

namespace AdderNet.Cli.CommandLine;

/// <summary>Calls a coordinator for a person: its failures become one line.</summary>
internal sealed class CoordinatorClient(Uri address) : IAsyncDisposable
{
    private static readonly RpcCallOptions Patience = new() { Deadline = TimeSpan.FromSeconds(20) };

    /// <summary>Where coordinators listen when nothing else is said.</summary>
    public const string DefaultAddress = "http://127.0.0.1:7400";

    private readonly RpcChannel channel = RpcChannel.Create(address);

    public RpcChannel Channel => channel;

    /// <summary>The option that says where the coordinator is.</summary>
    public static Option<Uri?> AddressOption() =>
        EnvironmentOption.Url("--coordinator", "Where the coordinator listens", DefaultAddress, DefaultAddress);

    /// <exception cref="CommandFailedException">The coordinator is not there, or refuses; its own words are in the message.</exception>
    public async Task<TResponse> CallAsync<TRequest, TResponse>(RpcMethod<TRequest, TResponse> method, TRequest request, CancellationToken cancellation)
    {
        try
        {
            return await channel.UnaryAsync(method, request, Patience, cancellation).ConfigureAwait(false);
        }
        catch (RpcException e)
        {
            throw Explain(e);
        }
    }

    /// <summary>What a person needs to know of a failed call.</summary>
    public CommandFailedException Explain(RpcException failure) => failure.Code == RpcStatusCode.Unavailable
        ? new CommandFailedException($"no coordinator answers at {address}: {failure.Detail}")
        : new CommandFailedException(failure.Detail, failure.Code == RpcStatusCode.InvalidArgument ? ExitCode.WrongInput : ExitCode.NotDone);

    public ValueTask DisposeAsync() => channel.DisposeAsync();
}
