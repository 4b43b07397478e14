using System.Numerics;
using AdderNet.Core.Configuration;
using AdderNet.Core.Layers;
using AdderNet.Core.Models;

namespace AdderNet.Core.Engine;

/// <summary>What one worker of the managed engine will hold, in bytes, worked out from the description alone.</summary>
/// <param name="Parameters">Number of trained parameters.</param>
/// <param name="StateBytes">Weights, momentum and running statistics.</param>
/// <param name="ShardBytes">Outputs and gradients of one shard's pass.</param>
/// <param name="ShardsHeld">Shards whose passes are held at once: 1, or all of the worker's with <c>normalization: global</c>.</param>
/// <param name="ReductionBytes">Gradient vectors: shard sums not yet joined, the mean that is being made and the one that waits for its commit.</param>
public sealed record MemoryEstimate(long Parameters, long StateBytes, long ShardBytes, int ShardsHeld, long ReductionBytes)
{
    /// <summary>Everything together.</summary>
    public long TotalBytes => StateBytes + ShardBytes * ShardsHeld + ReductionBytes;

    /// <summary>Estimates for the worker with the largest range.</summary>
    /// <param name="model">The model.</param>
    /// <param name="batch">How a batch is cut.</param>
    /// <param name="workers">Workers that share the shards, at least 1.</param>
    public static MemoryEstimate Of(ModelDescription model, BatchOptions batch, int workers)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        var range = (batch.Shards + workers - 1) / workers;
        var layout = model.Layout;
        var global = batch.Normalization == Normalization.Global;
        var sums = global ? range : Math.Min(range, BitOperations.Log2((uint)range) + 2);
        var plan = new TapePlan(model.Nodes);
        return new MemoryEstimate(
            layout.ParameterLength,
            sizeof(float) * (2L * layout.ParameterLength + layout.StatisticsLength),
            (plan.BytesPerSample + sizeof(float) * (long)model.Input.Elements) * batch.ShardSize,
            global ? range : 1,
            sizeof(float) * (sums + 2L) * layout.ReductionLength);
    }
}
