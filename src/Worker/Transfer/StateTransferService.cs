using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;
using Google.Protobuf;

namespace AdderNet.Worker.Transfer;

/// <summary>Streams the snapshot of a step to members that need it, from any offset.</summary>
internal sealed class StateTransferService(SnapshotShelf shelf) : IRpcService
{
    private const int ChunkBytes = 1 << 20;

    /// <inheritdoc/>
    public void Bind(RpcServiceBinder binder) => binder.ServerStreaming(StateTransferMethods.Download, DownloadAsync);

    private async Task DownloadAsync(DownloadRequest request, IRpcWriter<StateChunk> writer, RpcServerContext context)
    {
        var snapshot = await FindAsync(request, context.CancellationToken);
        var total = snapshot.Bytes.Length;
        if (request.Offset > (ulong)total)
            throw new RpcException(RpcStatusCode.OutOfRange, $"offset {request.Offset} lies beyond the {total} bytes of the state");

        var offset = (int)request.Offset;
        do
        {
            var length = Math.Min(ChunkBytes, total - offset);
            var first = offset == (int)request.Offset;
            await writer.WriteAsync(
                new StateChunk
                {
                    Offset = (ulong)offset,
                    Data = UnsafeByteOperations.UnsafeWrap(snapshot.Bytes.Slice(offset, length)),
                    TotalBytes = first ? (ulong)total : 0,
                    Sha256 = first ? snapshot.Sha256 : string.Empty,
                },
                context.CancellationToken);
            offset += length;
        }
        while (offset < total);
    }

    private async Task<Snapshot> FindAsync(DownloadRequest request, CancellationToken cancellation)
    {
        try
        {
            return await shelf.FindAsync(request.RunId, (long)request.Generation, (long)request.Step, cancellation);
        }
        catch (SnapshotRefusedException e)
        {
            throw new RpcException(RpcStatusCode.FailedPrecondition, e.Message);
        }
    }
}
