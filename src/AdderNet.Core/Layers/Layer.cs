using AdderNet.Core.Kernels;

namespace AdderNet.Core.Layers;

/// <summary>What all layers of one replica share.</summary>
/// <param name="Parameters">All parameters, laid out as the model's layout; changed only at apply.</param>
/// <param name="Statistics">Running statistics, laid out likewise.</param>
/// <param name="Kernels">The convolution passes.</param>
/// <param name="Threads">The threads to split independent outputs over.</param>
internal sealed record LayerContext(float[] Parameters, float[] Statistics, IConvolutionKernels Kernels, ComputeThreads Threads);

/// <summary>One node of the model at work. Layers keep no samples: those are on the tape, so that shards can run in lock step.</summary>
/// <param name="index">The node's index.</param>
/// <param name="context">Weights, kernels and threads.</param>
internal abstract class Layer(int index, LayerContext context)
{
    /// <summary>The node's index.</summary>
    public int Index { get; } = index;

    protected LayerContext Context { get; } = context;

    /// <summary>Whether the output is searched for non-finite values (it can hold one that no input held).</summary>
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
