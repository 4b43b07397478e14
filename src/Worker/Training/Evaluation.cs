using AdderNet.Core.Data;
using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Training;

/// <summary>Runs a member's part of the test set.</summary>
internal sealed class Evaluation(PreparedMember member, Progress progress) : IDisposable
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
            blocks?.Dispose();
            blocks = new EvaluationBlocks(member.Data.Test, member.Data.Input, blockSize, member.DecodeThreads);
        }

        var results = new List<BlockSums>();
        foreach (var batch in blocks.Read(order.FirstBlock, order.EndBlock))
        {
            cancellation.ThrowIfCancellationRequested();
            var sums = member.Replica.Evaluate(batch, cancellation);
            results.Add(new BlockSums(order.FirstBlock + results.Count, sums.Samples, sums.Top1, sums.Top5, sums.LossSum));
            progress.Advance();
        }

        return results;
    }

    /// <summary>Ends the threads that read the test set.</summary>
    public void Dispose() => blocks?.Dispose();
}
