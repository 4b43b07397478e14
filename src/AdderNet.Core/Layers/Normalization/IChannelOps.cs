namespace AdderNet.Core.Layers.Normalization;

/// <summary>
/// The few vector operations that normalisation is written in: float32 samples, arithmetic in double, never fused. Each gives
/// equal bits lane by lane at every width. Implementations are empty structs, so that the compiler makes one specialised body a
/// width from one source.
/// </summary>
/// <typeparam name="TWide">A vector of doubles.</typeparam>
/// <typeparam name="TNarrow">As many floats.</typeparam>
internal unsafe interface IChannelOps<TWide, TNarrow>
    where TWide : unmanaged
    where TNarrow : unmanaged
{
    /// <summary>Lanes of a vector.</summary>
    static abstract int Width { get; }

    static abstract TWide Broadcast(double value);

    static abstract TNarrow Load(float* source);

    static abstract void Store(float* destination, TNarrow value);

    static abstract TWide Load(double* source);

    static abstract void Store(double* destination, TWide value);

    /// <summary>Exact.</summary>
    static abstract TWide Widen(TNarrow value);

    /// <summary>Rounded to nearest, ties to even.</summary>
    static abstract TNarrow Narrow(TWide value);

    static abstract TNarrow Add(TNarrow left, TNarrow right);

    static abstract TWide Add(TWide left, TWide right);

    static abstract TWide Subtract(TWide left, TWide right);

    static abstract TWide Multiply(TWide left, TWide right);

    /// <summary>value where key is above 0, else +0 (also for a NaN).</summary>
    static abstract TNarrow Gate(TNarrow key, TNarrow value);

    /// <summary>value where key is above the bound, else +0 (also for a NaN).</summary>
    static abstract TWide Gate(TWide key, TWide bound, TWide value);

    /// <summary>trouble + (value - value): 0 stays 0 as long as all values are finite, and is a NaN ever after one that is not.</summary>
    static abstract TNarrow Trouble(TNarrow trouble, TNarrow value);

    /// <summary>Whether a lane is not 0.</summary>
    static abstract bool IsTrouble(TNarrow trouble);
}
