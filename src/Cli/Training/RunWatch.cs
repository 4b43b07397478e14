using AdderNet.Cli.CommandLine;
using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;

namespace AdderNet.Cli.Training;

/// <summary>Follows one run at a coordinator that may die and come back.</summary>
internal sealed class RunWatch(CoordinatorClient client, string runId, TimeProvider clock)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    // A run that was stopped before may still say so until the coordinator has taken it up again.
    private RunStatus? newest;

    /// <summary>The newest committed step that was heard of.</summary>
    public ulong Step => Volatile.Read(ref newest)?.Step ?? 0;

    /// <summary>Calls <paramref name="show"/> with every status until the run is over, and returns the last.</summary>
    public async Task<RunStatus> UntilOverAsync(Action<RunStatus> show, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                await foreach (var status in client.Channel.ServerStreamAsync(
                    CoordinationMethods.WatchRun, new GetRunRequest { RunId = runId }, null, cancellation).ConfigureAwait(false))
                {
                    Volatile.Write(ref newest, status);
                    show(status);
                    if (ProgressText.IsOver(status))
                        return status;
                }
            }
            catch (RpcException)
            {
                // The coordinator is away; the fleet brings it back or says that it cannot.
            }

            await Task.Delay(Pause, clock, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Asks for a checkpoint and the run's end; tries again while the coordinator is away.</summary>
    public async Task RequestStopAsync(CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                await client.Channel.UnaryAsync(
                    CoordinationMethods.ControlRun, new ControlRunRequest { RunId = runId, Action = "stop" },
                    new RpcCallOptions { Deadline = TimeSpan.FromSeconds(5) }, cancellation).ConfigureAwait(false);
                return;
            }
            catch (RpcException)
            {
                await Task.Delay(Pause, clock, cancellation).ConfigureAwait(false);
            }
        }
    }
}
