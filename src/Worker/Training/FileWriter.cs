using System.Threading.Channels;
using AdderNet.Core.Checkpoints;
using AdderNet.Core.Engine;
using AdderNet.Worker.Membership;
using AdderNet.Worker.Session;
using AdderNet.Worker.Telemetry;
using Microsoft.Extensions.Logging;

namespace AdderNet.Worker.Training;

/// <summary>
/// Writes files of state while training goes on: the state is copied at the boundary, into one of a few buffers that are
/// used again and again, and a writer of its own hashes it and puts it on disk.
/// </summary>
internal sealed class FileWriter : IAsyncDisposable
{
    private readonly PreparedMember member;
    private readonly OutputPaths paths;
    private readonly string workerId;
    private readonly MemberInbox inbox;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Channel<Copy> copies = Channel.CreateUnbounded<Copy>(new UnboundedChannelOptions { SingleReader = true });
    private readonly System.Collections.Concurrent.ConcurrentBag<ReplicaState> free = [];
    private readonly Task writing;

    public FileWriter(PreparedMember member, OutputPaths paths, string workerId, MemberInbox inbox, TimeProvider time, ILogger logger)
    {
        (this.member, this.paths, this.workerId, this.inbox, this.time, this.logger) = (member, paths, workerId, inbox, time, logger);
        writing = Task.Run(WriteAllAsync);
    }

    private sealed record Copy(CheckpointOrder Order, ReplicaState State, TimeSpan Stall);

    /// <summary>Copies the replica's state; the rest follows in the background.</summary>
    public void Begin(CheckpointOrder order)
    {
        var began = time.GetTimestamp();
        var state = member.Replica.Export(free.TryTake(out var used) ? used : null);
        copies.Writer.TryWrite(new Copy(order, state, time.GetElapsedTime(began)));
    }

    /// <summary>Waits until what was begun is on disk.</summary>
    public async ValueTask DisposeAsync()
    {
        copies.Writer.TryComplete();
        await writing;
    }

    private async Task WriteAllAsync()
    {
        await foreach (var copy in copies.Reader.ReadAllAsync())
        {
            inbox.Post(Write(copy));
            free.Add(copy.State);
        }
    }

    private MemberEvent Write(Copy copy)
    {
        var (order, state, stall) = copy;
        using var activity = WorkerTelemetry.Activities.StartActivity("write file");
        var began = time.GetTimestamp();
        try
        {
            var path = paths.Resolve(order.Directory, order.File);
            var layout = member.Replica.Layout;
            var file = order.WeightsOnly
                ? WeightsFile.Save(path, layout, state, workerId)
                : CheckpointFile.Save(path, layout, state, member.Identity, workerId);
            var written = new WrittenFile(
                file.Path, file.Sha256, file.Bytes, WeightsHash.Compute(layout, state), stall.TotalSeconds, time.GetElapsedTime(began).TotalSeconds);
            WorkerTelemetry.Record(written);
            logger.FileWritten(file.Path, file.Bytes, 1000 * written.StallSeconds, 1000 * written.WriteSeconds);
            return new FileWritten(order, written);
        }
        catch (Exception e) when (e is TensorFileException or IOException or UnauthorizedAccessException)
        {
            return new FileFailed(order, e.Message);
        }
    }
}
