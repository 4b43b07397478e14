using AdderNet.Core.Numerics;

namespace AdderNet.Core.Kernels;

/// <summary>
/// A sum in blocks of a fixed number of terms: each block is summed from +0 in order, and the blocks' sums are added in order
/// to the first one's sum plus the offset. The default offset +0 leaves no -0, so that terms of +0 or -0 may be left out.
/// </summary>
/// <param name="length">Terms of a block.</param>
/// <param name="offset">Added to the first block's sum, before the other blocks.</param>
internal struct BlockedSum(int length, float offset = 0f)
{
    private float running;
    private float total;
    private int terms;
    private bool hasTotal;

    public void Add(float term) => Close(running + term);

    /// <summary>Adds a * b, fused.</summary>
    public void AddProduct(float a, float b) => Close(Fused.MultiplyAdd(a, b, running));

    /// <summary>The sum of all terms so far.</summary>
    public readonly float Total => terms == 0 ? total : Joined();

    private void Close(float sum)
    {
        running = sum;
        if (++terms < length)
            return;
        total = Joined();
        hasTotal = true;
        running = 0f;
        terms = 0;
    }

    private readonly float Joined() => hasTotal ? total + running : running + offset;
}
