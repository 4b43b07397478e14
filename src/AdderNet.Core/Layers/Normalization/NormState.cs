namespace AdderNet.Core.Layers.Normalization;

/// <summary>What one batch norm keeps of one shard between its passes, per channel; made once and filled anew every step.</summary>
internal sealed class NormState(int channels)
{
    /// <summary>The shard's moments [n, mean, M2].</summary>
    public double[] OwnMoments { get; } = new double[1 + 2 * channels];

    /// <summary>The shard's gradient sums [dy, dy * xhat].</summary>
    public double[] OwnSums { get; } = new double[2 * channels];

    /// <summary>Values of a channel that were normalised over.</summary>
    public double Count { get; set; }

    /// <summary>The mean that was subtracted.</summary>
    public double[] Mean { get; } = new double[channels];

    /// <summary>1 / sqrt(variance + eps).</summary>
    public double[] Inverse { get; } = new double[channels];

    /// <summary>gamma * inverse.</summary>
    public double[] Scale { get; } = new double[channels];

    /// <summary>beta.</summary>
    public double[] Shift { get; } = new double[channels];

    /// <summary>Mean of dy.</summary>
    public double[] Average { get; } = new double[channels];

    /// <summary>Mean of dy * xhat, times inverse.</summary>
    public double[] Slope { get; } = new double[channels];
}
