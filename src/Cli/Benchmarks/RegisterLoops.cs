using System.Runtime.CompilerServices;
using AdderNet.Core.Kernels;

namespace AdderNet.Cli.Benchmarks;

/// <summary>Makes the loops of one vector width.</summary>
internal abstract class RegisterLoops
{
    public abstract RegisterLoop Products();

    public abstract RegisterLoop Adders();

    public abstract RegisterLoop Clamps();
}

/// <inheritdoc/>
internal sealed class RegisterLoops<TOps, TVector> : RegisterLoops
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    private const int Iterations = 20_000;
    private TVector kept;

    public override RegisterLoop Products() => new(RunProducts, Elements(sums: 12));

    public override RegisterLoop Adders() => new(RunAdders, Elements(sums: 8));

    public override RegisterLoop Clamps() => new(RunClamps, Elements(sums: 12));

    private static double Elements(int sums) => (double)sums * Iterations * TOps.Width;

    /// <summary>Each sum is its own factor, so that no iteration repeats the one before and nothing can be moved out of the loop.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunProducts()
    {
        var p = TOps.Broadcast(0.5f);
        TVector s0 = p, s1 = p, s2 = p, s3 = p, s4 = p, s5 = p, s6 = p, s7 = p, s8 = p, s9 = p, s10 = p, s11 = p;
        for (var i = 0; i < Iterations; i++)
        {
            s0 = TOps.MultiplyAdd(p, s0, s0);
            s1 = TOps.MultiplyAdd(p, s1, s1);
            s2 = TOps.MultiplyAdd(p, s2, s2);
            s3 = TOps.MultiplyAdd(p, s3, s3);
            s4 = TOps.MultiplyAdd(p, s4, s4);
            s5 = TOps.MultiplyAdd(p, s5, s5);
            s6 = TOps.MultiplyAdd(p, s6, s6);
            s7 = TOps.MultiplyAdd(p, s7, s7);
            s8 = TOps.MultiplyAdd(p, s8, s8);
            s9 = TOps.MultiplyAdd(p, s9, s9);
            s10 = TOps.MultiplyAdd(p, s10, s10);
            s11 = TOps.MultiplyAdd(p, s11, s11);
        }

        kept = Joined(Joined(s0, s1, s2, s3), Joined(s4, s5, s6, s7), Joined(s8, s9, s10, s11), kept);
    }

    /// <summary>
    /// Each sum has a pair of operands of its own, and these change places from one iteration to the next: nothing can be moved out of the
    /// loop, and no maximum waits for a sum. As many registers as AVX2 has.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunAdders()
    {
        var constant = TOps.Broadcast(AdderStep<TOps, TVector>.Constant);
        var (p0, p1) = (TOps.Broadcast(0.5f), TOps.Broadcast(0.25f));
        TVector b0 = p0, b1 = p1, b2 = TOps.Broadcast(0.75f), b3 = TOps.Broadcast(0.125f);
        TVector s0 = p0, s1 = p0, s2 = p0, s3 = p0, s4 = p0, s5 = p0, s6 = p0, s7 = p0;
        for (var i = 0; i < Iterations; i++)
        {
            s0 = AdderStep<TOps, TVector>.Apply(p0, b0, constant, s0);
            s1 = AdderStep<TOps, TVector>.Apply(p1, b0, constant, s1);
            s2 = AdderStep<TOps, TVector>.Apply(p0, b1, constant, s2);
            s3 = AdderStep<TOps, TVector>.Apply(p1, b1, constant, s3);
            s4 = AdderStep<TOps, TVector>.Apply(p0, b2, constant, s4);
            s5 = AdderStep<TOps, TVector>.Apply(p1, b2, constant, s5);
            s6 = AdderStep<TOps, TVector>.Apply(p0, b3, constant, s6);
            s7 = AdderStep<TOps, TVector>.Apply(p1, b3, constant, s7);
            (b0, b1, b2, b3) = (b1, b2, b3, b0);
        }

        kept = Joined(Joined(s0, s1, s2, s3), Joined(s4, s5, s6, s7), kept, kept);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunClamps()
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
