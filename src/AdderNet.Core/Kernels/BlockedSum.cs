using AdderNet.Core.Numerics;

namespace AdderNet.Core.Kernels;

/// <summary>
/// A sum in blocks: each block is summed from +0 in order; blocks are added in order to their chunk, and chunks in order.
/// The first chunk starts with the offset, the others with +0. No sum is then ever -0 (where the offset is not), so that terms
/// of +0 or -0 may be left out.
/// </summary>
/// <param name="chunkBlocks">Blocks of a chunk.</param>
/// <param name="offset">Where the first chunk starts.</param>
internal struct BlockedSum(int chunkBlocks, float offset = 0f)
{
    private float running;
    private float chunk = offset;
    private float total;
    private int blocks;
    private bool hasTotal;

    /// <summary>The sum of all blocks that have ended.</summary>
    public readonly float Total => !hasTotal ? chunk : blocks == 0 ? total : total + chunk;

    public void Add(float term) => running += term;

    /// <summary>Adds a * b, fused.</summary>
    public void AddProduct(float a, float b) => running = Fused.MultiplyAdd(a, b, running);

    public void EndBlock()
    {
        chunk += running;
        running = 0f;
        if (++blocks < chunkBlocks)
            return;
        total = hasTotal ? total + chunk : chunk;
        hasTotal = true;
        chunk = 0f;
        blocks = 0;
    }
}
