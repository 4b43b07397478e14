using System.CommandLine;
using AdderNet.Cli.Benchmarks;
using AdderNet.Cli.CommandLine;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet bench kernels</c>: the adder passes on every layer shape of the models, beside the processor's limits.</summary>
internal static class BenchKernelsCommand
{
    public static Command Create()
    {
        var json = BenchCommand.JsonOption();
        var command = new ExampleCommand(
            "kernels",
            "Times the adder kernels on each distinct layer of ResNet-50, ResNet-18, ResNet-20, VGG-small and LeNet-5, on one core, beside the rate of fused multiply-adds measured in the same run.",
            "./addernet bench kernels --json kernels.json")
        {
            json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = parsed.InvocationConfiguration.Output;
            var clock = TimeProvider.System;
            var bench = new KernelBench(clock);
            var rows = new List<KernelRow>();
            output.WriteLine(BenchMachine.Current);
            foreach (var layer in KernelShapes.All)
            {
                var measured = bench.Measure(layer, cancellation);
                rows.AddRange(measured);
                output.WriteLine($"{layer,-72} {string.Join("  ", measured.Select(row => FormattableString.Invariant($"{row.Seconds * 1e3,8:0.000} ms {row.OfBound,4:0 %} {row.OfMix,4:0 %}")))}");
            }

            if (parsed.GetValue(json) is { } file)
                await new BenchReport("kernels", BenchMachine.Current, clock.GetUtcNow(), rows, null).WriteAsync(file, cancellation).ConfigureAwait(false);
            return ExitCode.Done;
        });
        return command;
    }
}
