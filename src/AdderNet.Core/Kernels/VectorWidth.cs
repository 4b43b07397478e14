namespace AdderNet.Core.Kernels;

/// <summary>Which vectors kernels use; every one gives equal bits.</summary>
internal enum VectorWidth
{
    /// <summary>No vectors.</summary>
    Scalar = 1,

    /// <summary>Any processor's 128-bit vectors.</summary>
    Vector128 = 4,

    /// <summary>AVX2 with FMA.</summary>
    Vector256 = 8,

    /// <summary>AVX-512.</summary>
    Vector512 = 16,
}
