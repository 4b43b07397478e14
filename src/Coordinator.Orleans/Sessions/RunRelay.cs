using System.Collections.Concurrent;
using System.Threading.Channels;
using AdderNet.Coordinator.Hosting;
using AdderNet.Coordinator.Silos.Grains;
using AdderNet.Protos.V1;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace AdderNet.Coordinator.Silos.Sessions;

/// <summary>
/// Carries what this silo's sessions say to the grain of their run, in order and all that waits at a time. When a call fails,
/// nobody can know what arrived: the sessions are ended, and their workers come again and say what they hold.
/// </summary>
internal sealed class RunRelay : IRunDoor, IAsyncDisposable
{
    /// <summary>So many messages go in one call.</summary>
    private const int MostAtOnce = 512;

    private readonly Channel<Parcel> waiting = Channel.CreateUnbounded<Parcel>(new UnboundedChannelOptions { SingleReader = true });
    private readonly ConcurrentDictionary<long, SessionLink> open = new();
    private readonly CancellationTokenSource stop = new();
    private readonly IRunGrain run;
    private readonly ISiloDoor door;
    private readonly ILogger log;
    private readonly Task carrying;

    public RunRelay(IRunGrain run, ISiloDoor door, ILogger log)
    {
        (this.run, this.door, this.log) = (run, door, log);
        carrying = Task.Run(CarryAsync);
    }

    public void Connect(SessionLink link, Hello hello)
    {
        open[link.Id] = link;
        Put(ParcelKind.Came, link, hello.ToByteArray());
    }

    public void Receive(SessionLink link, WorkerMessage message) => Put(ParcelKind.Said, link, message.ToByteArray());

    public void Leave(SessionLink link)
    {
        open.TryRemove(link.Id, out _);
        Put(ParcelKind.Gone, link, []);
    }

    public async ValueTask DisposeAsync()
    {
        waiting.Writer.TryComplete();
        await stop.CancelAsync();
        await carrying;
        stop.Dispose();
    }

    private void Put(ParcelKind kind, SessionLink link, byte[] content) => waiting.Writer.TryWrite(new Parcel(kind, link.Id, link.WorkerId, content));

    private async Task CarryAsync()
    {
        var parcels = new List<Parcel>();
        try
        {
            while (await waiting.Reader.WaitToReadAsync(stop.Token))
            {
                parcels.Clear();
                while (parcels.Count < MostAtOnce && waiting.Reader.TryRead(out var parcel))
                    parcels.Add(parcel);
                try
                {
                    foreach (var stranger in await run.ReceiveAsync(door, [.. parcels]).WaitAsync(stop.Token))
                        End(stranger);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    SiloLog.RunNotReached(log, run.GetPrimaryKeyString(), e.Message);
                    foreach (var session in open.Keys)
                        End(session);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    private void End(long session)
    {
        if (open.TryRemove(session, out var link))
            link.End();
    }
}
