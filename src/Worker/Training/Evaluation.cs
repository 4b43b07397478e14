using AdderNet.Core.Data;
using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Training;

/// <summary>Runs a member's part of the test set.</summary>
internal sealed class Evaluation(PreparedMember member, Progress progress)
{
    private EvaluationBlocks? blocks;
    private int blockSize;

    /// <summary>Runs the ordered blocks.</summary>
    /// <exception cref="DataException">A sample cannot be read.</exception>
    public IReadOnlyList<BlockSums> Run(EvaluateOrder order, CancellationToken cancellation)
    {
        if (blocks is null || blockSize != order.BlockSize)
        {
            blockSize = order.BlockSize;
            blocks = new EvaluationBlocks(member.Data.Test, member.Data.Input, blockSize);
        }

        var results = new List<BlockSums>();
        for (var block = order.FirstBlock; block < order.EndBlock; block++)
        {
            cancellation.ThrowIfCancellationRequested();
            var sums = member.Replica.Evaluate(blocks.Read(block), cancellation);
            results.Add(new BlockSums(block, sums.Samples, sums.Top1, sums.Top5, sums.LossSum));
            progress.Advance();
        }

        return results;
    }
}
