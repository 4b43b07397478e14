using System.Runtime.Intrinsics;
using AdderNet.Core.Kernels;

namespace AdderNet.Core.Layers.Normalization;

/// <summary>Chooses the passes of a batch norm.</summary>
internal static class NormPasses
{
    /// <param name="width">Which vectors; at most <see cref="VectorKernels.Widest"/>.</param>
    /// <param name="adds">Whether another map is added behind the norm.</param>
    /// <param name="rectifies">Whether a ReLU comes last.</param>
    public static INormPasses Create(VectorWidth width, bool adds, bool rectifies) => (adds, rectifies) switch
    {
        (false, false) => Create<NormAlone>(width),
        (false, true) => Create<NormThenRelu>(width),
        (true, false) => Create<NormThenJoin>(width),
        (true, true) => Create<NormThenJoinThenRelu>(width),
    };

    private static INormPasses Create<TTail>(VectorWidth width)
        where TTail : struct, INormTail => width switch
        {
            _ when width > VectorKernels.Widest => throw new PlatformNotSupportedException($"This process has no vectors wider than {VectorKernels.Widest}; {width} was asked for."),
            VectorWidth.Vector512 => new NormPasses<ChannelOps512, Vector512<double>, Vector256<float>, TTail>(),
            VectorWidth.Vector256 => new NormPasses<ChannelOps256, Vector256<double>, Vector128<float>, TTail>(),
            VectorWidth.Vector128 => new NormPasses<ChannelOps128, Vector128<double>, Vector128<float>, TTail>(),
            _ => new NormPasses<ChannelOpsScalar, double, float, TTail>(),
        };
}
