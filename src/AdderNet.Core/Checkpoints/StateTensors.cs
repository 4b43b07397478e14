using AdderNet.Core.Engine;

namespace AdderNet.Core.Checkpoints;

/// <summary>The named tensors of a replica's flat buffers.</summary>
internal static class StateTensors
{
    public const string MomentumPrefix = "optimizer.momentum.";

    /// <summary>Parameters and running statistics under their state-dict names.</summary>
    public static IEnumerable<NamedTensor> Weights(ModelLayout layout, ReplicaState state)
    {
        Check(layout, state);
        return layout.Parameters.Select(p => Slice(p.Tensor, p.Tensor.Name, state.Parameters))
            .Concat(layout.Statistics.Select(s => Slice(s, s.Name, state.Statistics)));
    }

    /// <summary>Momentum under <c>optimizer.momentum.NAME</c>.</summary>
    public static IEnumerable<NamedTensor> Momentum(ModelLayout layout, ReplicaState state)
    {
        Check(layout, state);
        return layout.Parameters.Select(p => Slice(p.Tensor, MomentumPrefix + p.Tensor.Name, state.Momentum));
    }

    private static NamedTensor Slice(TensorSlot slot, string name, float[] buffer) =>
        NamedTensor.Float32(name, slot.Shape, buffer.AsMemory(slot.Offset, slot.Length));

    private static void Check(ModelLayout layout, ReplicaState state)
    {
        if (state.Parameters.Length != layout.ParameterLength || state.Momentum.Length != layout.ParameterLength
            || state.Statistics.Length != layout.StatisticsLength)
        {
            throw new ArgumentException($"a state of {state.Parameters.Length} parameters, {state.Momentum.Length} momenta and {state.Statistics.Length} statistics "
                + $"does not fit a layout of {layout.ParameterLength} parameters and {layout.StatisticsLength} statistics");
        }
    }
}
