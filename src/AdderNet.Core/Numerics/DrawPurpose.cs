namespace AdderNet.Core.Numerics;

/// <summary>
/// What a random stream is for: the last counter word of <see cref="Philox"/>. Streams of different purposes share no draw.
/// Values are part of the numerics version: append only.
/// </summary>
internal enum DrawPurpose : uint
{
    /// <summary>Initial weights; item = parameter index.</summary>
    Initialization = 1,

    /// <summary>Order of samples; item = epoch.</summary>
    Permutation = 2,

    /// <summary>Augmentation; item = sample index, sub-item = epoch.</summary>
    Augmentation = 3,

    /// <summary>Which shard an audit recomputes; item = step.</summary>
    Audit = 4,

    /// <summary>Synthetic data; item = sample index.</summary>
    SyntheticData = 5,

    /// <summary>Draws of the start-up probe.</summary>
    Probe = 6,

    /// <summary>Faults and delays of simulated runs; item = what they decide.</summary>
    Simulation = 7,
}
