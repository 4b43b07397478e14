namespace AdderNet.Core.Layers.Normalization;

/// <summary>
/// What the loops read and write. Maps are [positions, channels]; several positions form a group of <see cref="Lanes"/>
/// elements, a multiple of <see cref="ChannelGroups.Unit"/>, and the values of a channel are repeated over a group's lanes.
/// A pass uses what it needs.
/// </summary>
internal unsafe struct NormOperands
{
    /// <summary>Elements of a group.</summary>
    public int Lanes;

    /// <summary>Elements of a map.</summary>
    public int Length;

    /// <summary>The norm's input.</summary>
    public float* X;

    /// <summary>What is added to the normalised input.</summary>
    public float* Other;

    /// <summary>The output.</summary>
    public float* Y;

    /// <summary>
    /// The output's gradient. Behind a join and ReLU <see cref="NormLoops{TOps,TWide,TNarrow,TTail}.GradientSums"/> leaves it with
    /// <see cref="Added"/> and closed where the ReLU is.
    /// </summary>
    public float* G;

    /// <summary>What is added to the gradient first; null: nothing. Behind a join and ReLU only.</summary>
    public float* Added;

    /// <summary>The input's gradient; may be <see cref="G"/>.</summary>
    public float* Dx;

    /// <summary>The mean; for moments the pivot that distances are taken from.</summary>
    public double* Mean;

    /// <summary>gamma / sqrt(variance + eps).</summary>
    public double* Scale;

    /// <summary>beta.</summary>
    public double* Shift;

    /// <summary>Mean of the output's gradient.</summary>
    public double* Average;

    /// <summary>Mean of gradient times xhat, times 1 / sqrt(variance + eps).</summary>
    public double* Slope;
}
