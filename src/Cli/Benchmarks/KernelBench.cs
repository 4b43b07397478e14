using AdderNet.Core.Kernels;

namespace AdderNet.Cli.Benchmarks;

/// <summary>A pass over a shape, on one core.</summary>
/// <param name="Kernel">adder_forward, filter_gradient or input_gradient.</param>
/// <param name="Shape">The shape in words.</param>
/// <param name="Elements">Pairs of an input and a filter element.</param>
/// <param name="Seconds">Median of a call, packing of filters and padding of inputs included.</param>
/// <param name="OfBound">Share of the bound: the FMA peak measured beside it, two thirds of it for the input gradient.</param>
/// <param name="OfMix">Share of what a loop of the same instructions without memory reaches beside it.</param>
/// <param name="OfMemory">Share of what the memory system allows: the time of a loop beside it that only reads and writes the maps that the pass must, over the pass's.</param>
internal sealed record KernelRow(string Kernel, string Shape, double Elements, double Seconds, double OfBound, double OfMix, double OfMemory);

/// <summary>What a pass gains from more threads.</summary>
/// <param name="Kernel">As in <see cref="KernelRow"/>.</param>
/// <param name="Shape">As in <see cref="KernelRow"/>.</param>
/// <param name="Threads">Number of threads.</param>
/// <param name="SpeedUp">Time on one thread over time on so many, taken in turns.</param>
/// <param name="OfLoop">That over what a loop without memory gains beside it.</param>
internal sealed record SpeedUpRow(string Kernel, string Shape, int Threads, double SpeedUp, double OfLoop);

/// <summary>Figures of one shape.</summary>
/// <param name="Layer">The shape.</param>
/// <param name="Rows">One row a pass, in the order of <see cref="KernelBench.Kernels"/>.</param>
/// <param name="SpeedUps">One row a pass, or none where a single thread was measured.</param>
internal sealed record KernelFigures(KernelShape Layer, IReadOnlyList<KernelRow> Rows, IReadOnlyList<SpeedUpRow> SpeedUps);

/// <summary>Times the adder passes, each shape beside the register loops and the memory loops.</summary>
/// <param name="clock">Gives the time.</param>
/// <param name="threads">Threads whose gain is measured; 1 for none.</param>
internal sealed class KernelBench(TimeProvider clock, int threads)
{
    private const int Rounds = 11;

    /// <summary>The passes of a step.</summary>
    public static IReadOnlyList<string> Kernels { get; } = ["adder_forward", "filter_gradient", "input_gradient"];

    public KernelFigures Measure(KernelShape layer, CancellationToken cancellation)
    {
        using var one = new ComputeThreads(1);
        using var many = new ComputeThreads(threads);
        var operands = new KernelOperands(layer.Shape);
        var loops = RegisterLoop.All(VectorKernels.Widest);
        List<Action> contenders = [.. operands.Passes(one), .. loops.Select(loop => loop.Run), .. operands.Memory()];
        if (threads > 1)
            contenders.AddRange([.. operands.Passes(many), loops[0].OnEach(many)]);

        var timings = new InterleavedTimer(clock, Rounds, TimeSpan.FromMilliseconds(3)).Measure(contenders, cancellation);
        double[] rates = [.. loops.Select((loop, i) => loop.Elements / timings[Kernels.Count + i].Median)];
        double[] bounds = [rates[0], rates[0], rates[0] * 2 / 3];
        double[] mixes = [rates[1], rates[0], rates[2]];
        var rows = Kernels.Select((kernel, i) =>
        {
            var memory = timings[Kernels.Count + loops.Length + i].Median;
            var rate = layer.Elements / timings[i].Median;
            return new KernelRow(kernel, layer.ToString(), layer.Elements, timings[i].Median, rate / bounds[i], rate / mixes[i], memory / timings[i].Median);
        });
        return new KernelFigures(layer, [.. rows], threads == 1 ? [] : [.. SpeedUps(layer, timings, loops.Length)]);
    }

    private IEnumerable<SpeedUpRow> SpeedUps(KernelShape layer, IReadOnlyList<Timing> timings, int loops)
    {
        // Passes on one thread, three loops, their memory, passes on many threads, the first loop once on each of them.
        var first = 2 * Kernels.Count + loops;
        var loop = threads * timings[Kernels.Count].Median / timings[first + Kernels.Count].Median;
        for (var i = 0; i < Kernels.Count; i++)
        {
            var speedUp = timings[i].Median / timings[first + i].Median;
            yield return new SpeedUpRow(Kernels[i], layer.ToString(), threads, speedUp, speedUp / loop);
        }
    }
}
