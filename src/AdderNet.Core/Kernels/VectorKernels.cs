using System.Runtime.Intrinsics;

namespace AdderNet.Core.Kernels;

/// <summary>The convolution passes in register tiles, from one source for every vector width.</summary>
internal static class VectorKernels
{
    /// <summary>The widest vectors of this processor.</summary>
    public static VectorWidth Widest =>
        Vector512Ops.IsSupported ? VectorWidth.Vector512
        : Vector256Ops.IsSupported ? VectorWidth.Vector256
        : Vector128Ops.IsSupported ? VectorWidth.Vector128
        : VectorWidth.Scalar;

    /// <exception cref="PlatformNotSupportedException">This processor (or runtime setting) lacks vectors of that width.</exception>
    public static IConvolutionKernels Create(VectorWidth width) => width switch
    {
        _ when width > Widest => throw new PlatformNotSupportedException($"This process has no vectors wider than {Widest}; {width} was asked for."),
        VectorWidth.Vector512 => new VectorKernels<Vector512Ops, Vector512<float>>(),
        VectorWidth.Vector256 => new VectorKernels<Vector256Ops, Vector256<float>>(),
        VectorWidth.Vector128 => new VectorKernels<Vector128Ops, Vector128<float>>(),
        _ => new VectorKernels<ScalarOps, float>(),
    };
}
