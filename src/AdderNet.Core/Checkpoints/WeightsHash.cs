using System.Globalization;
using AdderNet.Core.Engine;

namespace AdderNet.Core.Checkpoints;

/// <summary>
/// The hash by which runs are compared: SHA-256 over parameters and running statistics in ordinal order of names; per
/// tensor UTF-8 name, 0, dtype, 0, decimal shape joined by commas, 0, little-endian bytes.
/// </summary>
public static class WeightsHash
{
    /// <summary>Lower-case hex, 64 characters.</summary>
    public static string Compute(ModelLayout layout, ReplicaState state) => TensorDigest.Of(StateTensors.Weights(layout, state));
}

/// <summary>The hash of all that a replica needs to go on: step, parameters, running statistics and momentum.</summary>
public static class StateHash
{
    /// <summary>Lower-case hex, 64 characters: decimal step, 0, then all tensors as in <see cref="WeightsHash"/>.</summary>
    public static string Compute(ModelLayout layout, ReplicaState state)
    {
        using var digest = new TensorDigest();
        digest.AddText(state.Step.ToString(CultureInfo.InvariantCulture));
        digest.Add(StateTensors.Weights(layout, state).Concat(StateTensors.Momentum(layout, state)));
        return digest.Finish();
    }
}
