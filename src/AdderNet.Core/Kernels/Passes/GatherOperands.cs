namespace AdderNet.Core.Kernels;

/// <summary>What a gather reads and writes; addresses as a <see cref="GatherPlan"/> counts.</summary>
internal unsafe struct GatherOperands
{
    /// <summary>What the taps read: inputs for outputs, output gradients for input gradients.</summary>
    public float* Source;

    /// <summary>Filters, panel by panel of columns, [term][lane].</summary>
    public float* Packed;

    /// <summary>Each result's own operand where the step wants one, else null.</summary>
    public float* Own;

    public float* Result;

    /// <summary>Where sums start: for each class of positions [padded columns], or null for +0.</summary>
    public float* LaneAddends;

    /// <summary>For each pixel of the result, added to <see cref="LaneAddends"/>; null for the sum of what the result's one tap reads, made as tiles come to it.</summary>
    public float* RowAddends;

    /// <summary>Whether the result has left the caches before it is read.</summary>
    public bool PastCaches;
}
