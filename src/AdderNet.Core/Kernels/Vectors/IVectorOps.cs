namespace AdderNet.Core.Kernels;

/// <summary>
/// The few vector operations that kernels are written in; each gives equal bits lane by lane at every width. Implementations
/// are empty structs, so that the compiler makes one specialised body a width from one source.
/// </summary>
/// <typeparam name="TVector">The register type.</typeparam>
internal unsafe interface IVectorOps<TVector>
    where TVector : unmanaged
{
    /// <summary>Lanes of a vector.</summary>
    static abstract int Width { get; }

    /// <summary>Vectors side by side in the widest tile: what the register file holds.</summary>
    static abstract int TileVectors { get; }

    static abstract TVector Broadcast(float value);

    static abstract TVector Load(float* source);

    /// <summary>The first <paramref name="count"/> lanes; the others are 0 and their memory is not touched.</summary>
    static abstract TVector LoadPart(float* source, int count);

    static abstract void Store(float* destination, TVector value);

    /// <summary>Stores what is read much later, without reading the line into the caches first. The destination is a multiple of a vector's bytes.</summary>
    static abstract void StorePastCaches(float* destination, TVector value);

    /// <summary>Stores the first <paramref name="count"/> lanes only.</summary>
    static abstract void StorePart(float* destination, TVector value, int count);

    static abstract TVector Add(TVector left, TVector right);

    static abstract TVector Subtract(TVector left, TVector right);

    /// <summary>left - right as left * 1 - right, the same bits: it goes to other execution units; <paramref name="one"/> holds 1.</summary>
    static abstract TVector SubtractByProduct(TVector left, TVector right, TVector one);

    /// <summary>left where it is greater, else right.</summary>
    static abstract TVector Max(TVector left, TVector right);

    /// <summary>left * right + addend, rounded once.</summary>
    static abstract TVector MultiplyAdd(TVector left, TVector right, TVector addend);

    /// <summary>value * -2 + addend; <paramref name="minusTwo"/> holds -2 in a register. Doubling is exact, so fused and unfused agree.</summary>
    static abstract TVector SubtractTwice(TVector value, TVector minusTwo, TVector addend);

    /// <summary>The value clamped to [-1, 1]; <paramref name="one"/> holds 1 in a register.</summary>
    static abstract TVector ClampToUnit(TVector value, TVector one);

    /// <summary>value where left is greater than right, -value where it is less, else +0.</summary>
    static abstract TVector Signed(TVector left, TVector right, TVector value);
}
