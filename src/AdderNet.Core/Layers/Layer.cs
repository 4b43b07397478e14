using AdderNet.Core.Engine;
using AdderNet.Core.Kernels;
using AdderNet.Core.Layers.Normalization;

namespace AdderNet.Core.Layers;

/// <summary>What all layers of one replica share.</summary>
/// <param name="Parameters">All parameters, laid out as the model's layout; changed only at apply.</param>
/// <param name="Statistics">Running statistics, laid out likewise.</param>
/// <param name="Kernels">The convolution passes.</param>
/// <param name="Threads">The threads to split independent outputs over.</param>
internal sealed record LayerContext(float[] Parameters, float[] Statistics, IConvolutionKernels Kernels, ComputeThreads Threads)
{
    /// <summary>Which vectors the layers' own loops use; every one gives equal bits.</summary>
    public VectorWidth Vectors { get; init; } = VectorKernels.Widest;

    /// <summary>Takes the time of each part of a step; null: nobody asks.</summary>
    public StepClock? Clock { get; init; }

    /// <summary>Buffers that batch norms share.</summary>
    public NormScratch NormScratch { get; } = new();
}

/// <summary>One node of the model at work, or several that one pass computes. Layers keep no samples: those are on the tape, so that shards can run in lock step.</summary>
/// <param name="index">The first node's index.</param>
/// <param name="context">Weights, kernels and threads.</param>
internal abstract class Layer(int index, LayerContext context)
{
    /// <summary>The first node's index.</summary>
    public int Index { get; } = index;

    /// <summary>Index of the last node, whose output the layer writes.</summary>
    public virtual int Last => Index;

    /// <summary>The part of a step that its time counts to.</summary>
    public abstract StepPart Part { get; }

    protected LayerContext Context { get; } = context;

    /// <summary>
    /// Whether the output must be searched for non-finite values: it can hold one that no input held, and the layer does not look
    /// itself. A batch norm looks at its input as it takes its moments, and at its output before the ReLU.
    /// </summary>
    public virtual bool CanOverflow => false;

    /// <summary>Writes the node's output; a batch norm normalises by its running statistics.</summary>
    public abstract void Forward(ShardTape tape);
}

/// <summary>A layer whose training pass needs no other shard.</summary>
internal abstract class LocalLayer(int index, LayerContext context) : Layer(index, context)
{
    /// <summary>From the output's gradient writes the parameters' gradients into the tape's reduction vector and, where wanted, the input's gradient.</summary>
    public abstract void Backward(ShardTape tape);
}
