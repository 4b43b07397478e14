using AdderNet.Protos.V1;
using AdderNet.Worker.Exchange;

namespace AdderNet.Worker.Session;

/// <summary>
/// Heartbeats on a thread of their own, so that a worker whose pool threads all compute is not taken for dead; the progress
/// counter they carry keeps a hung one from being taken for alive.
/// </summary>
internal sealed class HeartbeatThread : IDisposable
{
    private readonly CoordinatorSession session;
    private readonly Progress progress;
    private readonly NeighbourWatch neighbours;
    private readonly TimeSpan period;
    private readonly CancellationTokenSource stop = new();
    private readonly Thread thread;

    public HeartbeatThread(CoordinatorSession session, Progress progress, NeighbourWatch neighbours, TimeSpan period)
    {
        this.session = session;
        this.progress = progress;
        this.neighbours = neighbours;
        this.period = period;
        thread = new Thread(Beat) { IsBackground = true, Name = "heartbeat", Priority = ThreadPriority.AboveNormal };
        thread.Start();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        stop.Cancel();
        thread.Join();
        stop.Dispose();
    }

    // Waits on a handle, not on the injected clock's timer: timers run on the pool, which may be busy computing.
    private void Beat()
    {
        try
        {
            do
            {
                var beat = new WorkerMessage
                {
                    RunId = session.RunId,
                    Heartbeat = new Heartbeat { Progress = (ulong)progress.Count, Waiting = progress.Waiting },
                };
                beat.Heartbeat.Silent.AddRange(neighbours.Silent);
                session.SendAsync(beat, stop.Token).GetAwaiter().GetResult();
            }
            while (WaitHandle.WaitAny([stop.Token.WaitHandle, neighbours.Changed], period) != 0);
        }
        catch (OperationCanceledException)
        {
            // The worker ends.
        }
    }
}
