using AdderNet.Core.Models;

namespace AdderNet.Core.Layers;

/// <summary>The nodes behind a batch norm that its passes take along.</summary>
/// <param name="Last">The last of them, whose output the pass writes; the batch norm itself if there are none.</param>
/// <param name="Join">The join; -1: none.</param>
/// <param name="Other">What the join adds to the batch norm; <see cref="ModelDescription.Images"/> is possible. Meaningless without a join.</param>
/// <param name="Rectifies">Whether a ReLU comes last.</param>
internal sealed record NormTailPlan(int Last, int Join, int Other, bool Rectifies)
{
    private const int None = -1;

    public bool Joins => Join != None;

    /// <summary>A join right behind the batch norm, then a ReLU right behind that, where nothing else reads what lies between.</summary>
    /// <param name="nodes">The model.</param>
    /// <param name="norm">Index of a batch norm.</param>
    /// <param name="readers">How many nodes read each node.</param>
    public static NormTailPlan Of(IReadOnlyList<ModelNode> nodes, int norm, IReadOnlyList<int> readers)
    {
        var (last, other, join) = (norm, None, None);
        if (Next() is JoinNode ends && readers[norm] == 1 && (ends.Input == norm || ends.Shortcut == norm))
        {
            last = join = norm + 1;
            other = ends.Input == norm ? ends.Shortcut : ends.Input;
        }

        var rectifies = Next() is ReluNode relu && readers[last] == 1 && relu.Input == last;
        return new NormTailPlan(rectifies ? last + 1 : last, join, other, rectifies);

        ModelNode? Next() => last + 1 < nodes.Count ? nodes[last + 1] : null;
    }
}
