using System.Runtime.Intrinsics;
using AdderNet.Core.Kernels;

namespace AdderNet.Cli.Benchmarks;

/// <summary>A loop that touches no memory: what a processor's arithmetic allows a kernel at most.</summary>
/// <param name="Run">Goes through the loop once, a few hundred microseconds long.</param>
/// <param name="Elements">Lane-elements that a run passes through the instructions; each counts once, however many they are.</param>
internal sealed record RegisterLoop(Action Run, double Elements)
{
    /// <summary>Fused multiply-adds alone: the peak.</summary>
    public static RegisterLoop FusedMultiplyAdd(VectorWidth width) => OfWidth(width).Products();

    /// <summary>The adder layer's forward term.</summary>
    public static RegisterLoop AdderForward(VectorWidth width) => OfWidth(width).Adders();

    /// <summary>The adder layer's input-gradient term.</summary>
    public static RegisterLoop AdderInputGradient(VectorWidth width) => OfWidth(width).Clamps();

    /// <summary>These three.</summary>
    public static RegisterLoop[] All(VectorWidth width) => [FusedMultiplyAdd(width), AdderForward(width), AdderInputGradient(width)];

    /// <summary>The loop once on each of some threads, at the same time.</summary>
    public Action OnEach(ComputeThreads threads) => () => threads.Split(threads.Count, new EachJob(Run));

    /// <summary>As many items as threads.</summary>
    private readonly struct EachJob(Action run) : ISplitJob
    {
        public void Run(int first, int end) => run();
    }

    private static RegisterLoops OfWidth(VectorWidth width) => width switch
    {
        VectorWidth.Vector512 => new RegisterLoops<Vector512Ops, Vector512<float>>(),
        VectorWidth.Vector256 => new RegisterLoops<Vector256Ops, Vector256<float>>(),
        VectorWidth.Vector128 => new RegisterLoops<Vector128Ops, Vector128<float>>(),
        _ => new RegisterLoops<ScalarOps, float>(),
    };
}
