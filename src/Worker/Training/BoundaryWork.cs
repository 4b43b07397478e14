using AdderNet.Core.Checkpoints;
using AdderNet.Core.Data;
using AdderNet.Protos.V1;
using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Training;

/// <summary>What members do between two steps: evaluate and write files.</summary>
internal sealed class BoundaryWork(PreparedMember member, OutputPaths paths, string workerId, Progress progress)
{
    private EvaluationBlocks? blocks;
    private int blockSize;

    /// <summary>Runs the ordered blocks of the test set.</summary>
    /// <exception cref="DataException">A sample cannot be read.</exception>
    public IReadOnlyList<EvaluationBlock> Evaluate(EvaluateOrder order, CancellationToken cancellation)
    {
        if (blocks is null || blockSize != order.BlockSize)
        {
            blockSize = order.BlockSize;
            blocks = new EvaluationBlocks(member.Data.Test, member.Data.Input, blockSize);
        }

        var results = new List<EvaluationBlock>();
        for (var block = order.FirstBlock; block < order.EndBlock; block++)
        {
            cancellation.ThrowIfCancellationRequested();
            var sums = member.Replica.Evaluate(blocks.Read(block), cancellation);
            results.Add(new EvaluationBlock
            {
                Index = (uint)block,
                Samples = (ulong)sums.Samples,
                Top1 = (ulong)sums.Top1,
                Top5 = (ulong)sums.Top5,
                LossSum = sums.LossSum,
            });
            progress.Advance();
        }

        return results;
    }

    /// <summary>Writes the state, or the plain weights.</summary>
    /// <exception cref="IOException">It could not be written; an older file of that name is untouched.</exception>
    public (SavedFile File, string WeightsHash) Write(CheckpointOrder order)
    {
        var path = paths.Resolve(order.Directory, order.File);
        var layout = member.Replica.Layout;
        var state = member.Replica.Export();
        var file = order.WeightsOnly
            ? WeightsFile.Save(path, layout, state, workerId)
            : CheckpointFile.Save(path, layout, state, member.Identity, workerId);
        progress.Advance();
        return (file, WeightsHash.Compute(layout, state));
    }
}
