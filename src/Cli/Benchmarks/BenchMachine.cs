using System.Runtime.InteropServices;
using AdderNet.Core.Kernels;

namespace AdderNet.Cli.Benchmarks;

/// <summary>Where figures were measured.</summary>
/// <param name="Processor">Model name.</param>
/// <param name="Cores">Processors that this process may use.</param>
/// <param name="Vectors">Widest vectors of this process.</param>
/// <param name="Runtime">Runtime and operating system.</param>
internal sealed record BenchMachine(string Processor, int Cores, string Vectors, string Runtime)
{
    public static BenchMachine Current { get; } = new(
        Name(), Environment.ProcessorCount, VectorKernels.Widest.ToString(), $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}");

    /// <summary>Whether the thresholds apply: they are set for AVX-512.</summary>
    public static bool HasThresholds => VectorKernels.Widest == VectorWidth.Vector512;

    public override string ToString() => $"{Processor}, {Cores} cores, {Vectors}; {Runtime}";

    private static string Name()
    {
        const string file = "/proc/cpuinfo";
        var line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(text => text.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?.Split(':', 2)[1].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
