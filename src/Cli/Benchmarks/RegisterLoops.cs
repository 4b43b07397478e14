using System.Runtime.CompilerServices;
using AdderNet.Core.Kernels;

namespace AdderNet.Cli.Benchmarks;

/// <summary>What a loop over running sums does to each of them.</summary>
internal enum RowMix
{
    /// <summary>One fused multiply-add.</summary>
    Product,

    /// <summary>The forward step of adder layers.</summary>
    Adder,
}

/// <summary>Makes the loops of one vector width.</summary>
internal abstract class RegisterLoops
{
    public abstract RegisterLoop Rows(RowMix mix);

    public abstract RegisterLoop Clamp();
}

/// <inheritdoc/>
internal sealed class RegisterLoops<TOps, TVector> : RegisterLoops
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    private const int Sums = 12;
    private const int Iterations = 20_000;
    private TVector kept;

    public override RegisterLoop Rows(RowMix mix) => new(mix == RowMix.Adder ? RunRows<AdderStep<TOps, TVector>> : RunRows<ProductStep<TOps, TVector>>, Elements);

    public override RegisterLoop Clamp() => new(RunClamp, Elements);

    private static double Elements => (double)Sums * Iterations * TOps.Width;

    /// <summary>Each sum is its own operand, so that no iteration repeats the one before and nothing can be moved out of the loop.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunRows<TStep>()
        where TStep : struct, IRowStep<TVector>
    {
        var constant = TOps.Broadcast(TStep.Constant);
        var p = TOps.Broadcast(0.5f);
        TVector s0 = p, s1 = p, s2 = p, s3 = p, s4 = p, s5 = p, s6 = p, s7 = p, s8 = p, s9 = p, s10 = p, s11 = p;
        for (var i = 0; i < Iterations; i++)
        {
            s0 = TStep.Apply(p, s0, constant, s0);
            s1 = TStep.Apply(p, s1, constant, s1);
            s2 = TStep.Apply(p, s2, constant, s2);
            s3 = TStep.Apply(p, s3, constant, s3);
            s4 = TStep.Apply(p, s4, constant, s4);
            s5 = TStep.Apply(p, s5, constant, s5);
            s6 = TStep.Apply(p, s6, constant, s6);
            s7 = TStep.Apply(p, s7, constant, s7);
            s8 = TStep.Apply(p, s8, constant, s8);
            s9 = TStep.Apply(p, s9, constant, s9);
            s10 = TStep.Apply(p, s10, constant, s10);
            s11 = TStep.Apply(p, s11, constant, s11);
        }

        kept = Joined(Joined(s0, s1, s2, s3), Joined(s4, s5, s6, s7), Joined(s8, s9, s10, s11), kept);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunClamp()
    {
        var constant = TOps.Broadcast(1f);
        var (p, b) = (TOps.Broadcast(0.75f), TOps.Broadcast(0.5f));
        TVector s0 = b, s1 = b, s2 = b, s3 = b, s4 = b, s5 = b, s6 = b, s7 = b, s8 = b, s9 = b, s10 = b, s11 = b;
        for (var i = 0; i < Iterations; i++)
        {
            s0 = ClampStep<TOps, TVector>.Apply(s0, p, b, constant, s0);
            s1 = ClampStep<TOps, TVector>.ApplyOtherwise(s1, p, b, constant, s1);
            s2 = ClampStep<TOps, TVector>.Apply(s2, p, b, constant, s2);
            s3 = ClampStep<TOps, TVector>.ApplyOtherwise(s3, p, b, constant, s3);
            s4 = ClampStep<TOps, TVector>.Apply(s4, p, b, constant, s4);
            s5 = ClampStep<TOps, TVector>.ApplyOtherwise(s5, p, b, constant, s5);
            s6 = ClampStep<TOps, TVector>.Apply(s6, p, b, constant, s6);
            s7 = ClampStep<TOps, TVector>.ApplyOtherwise(s7, p, b, constant, s7);
            s8 = ClampStep<TOps, TVector>.Apply(s8, p, b, constant, s8);
            s9 = ClampStep<TOps, TVector>.ApplyOtherwise(s9, p, b, constant, s9);
            s10 = ClampStep<TOps, TVector>.Apply(s10, p, b, constant, s10);
            s11 = ClampStep<TOps, TVector>.ApplyOtherwise(s11, p, b, constant, s11);
        }

        kept = Joined(Joined(s0, s1, s2, s3), Joined(s4, s5, s6, s7), Joined(s8, s9, s10, s11), kept);
    }

    /// <summary>Keeps the sums alive, so that the loop is not removed.</summary>
    private static TVector Joined(TVector a, TVector b, TVector c, TVector d) => TOps.Add(TOps.Add(a, b), TOps.Add(c, d));
}
