namespace AdderNet.Core.Data;

/// <summary>Samples that can be read in any order and from several threads at once.</summary>
public interface ISampleSet
{
    /// <summary>Number of samples.</summary>
    int Count { get; }

    /// <summary>Class of a sample, from 0.</summary>
    int Label(int index);

    /// <summary>Decodes, augments and normalises one sample.</summary>
    /// <param name="index">Sample index, 0 to <see cref="Count"/> - 1.</param>
    /// <param name="augmentation">Keys the random changes; null reads the sample as it is.</param>
    /// <param name="destination">Receives H*W*C values, channels last.</param>
    /// <exception cref="DataException">The sample cannot be read.</exception>
    void Read(int index, SampleDraw? augmentation, Span<float> destination);
}

/// <summary>With the sample's index, all that augmentation depends on.</summary>
/// <param name="Seed">The run's seed.</param>
/// <param name="Epoch">Epoch, from 0.</param>
public readonly record struct SampleDraw(long Seed, int Epoch);
