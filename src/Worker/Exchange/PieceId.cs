using AdderNet.Core.Sharding;

namespace AdderNet.Worker.Exchange;

/// <summary>What a piece holds.</summary>
internal enum PieceSort
{
    /// <summary>The holder's own subtree sums of a bucket.</summary>
    Subtrees,

    /// <summary>The sums of the largest subtrees within the holder's group, of a bucket that it holds for another group's member.</summary>
    GroupSums,

    /// <summary>The finished mean of a bucket, from its owner or from a holder that has it from the owner.</summary>
    Mean,

    /// <summary>The holder's batch-norm moments of a meeting.</summary>
    Statistics,
}

/// <summary>Names a piece; <paramref name="Index"/> is a bucket, or for statistics a meeting within the step.</summary>
internal readonly record struct PieceId(string RunId, long Generation, long Step, PieceSort Sort, int Index)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Sort} {Index} of step {Step} in generation {Generation} of run {RunId}";
}

/// <summary>One node of a piece, as bytes to send (little-endian).</summary>
internal sealed record PieceNode(TreeNodeId Node, ReadOnlyMemory<byte> Payload, StepCounts Counts);
