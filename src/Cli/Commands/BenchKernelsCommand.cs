using System.CommandLine;
using AdderNet.Cli.Benchmarks;
using AdderNet.Cli.CommandLine;
using AdderNet.Core.Configuration;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet bench kernels</c>: the adder passes on every layer shape of the models, beside the processor's limits.</summary>
internal static class BenchKernelsCommand
{
    private const int MostThreads = 64;
    private const int LargestBatch = 1024;

    public static Command Create()
    {
        var json = BenchCommand.JsonOption();
        var model = ModelOption();
        var batch = ParsedValue.Number("--batch", "Images; without it 128 for the CIFAR models, 32 for the others, as bench step takes", 1, LargestBatch, 8);
        var threads = ParsedValue.Number("--threads", "Also measures what so many threads gain, beside what a loop without memory gains from them", 1, MostThreads, 2);
        var command = new ExampleCommand(
            "kernels",
            "Times the adder kernels on each distinct layer of ResNet-50, ResNet-18, ResNet-20, VGG-small and LeNet-5, on one core, beside the rate of fused multiply-adds measured in the same run.",
            "./addernet bench kernels --json kernels.json",
            "./addernet bench kernels --model resnet50 --batch 8 --threads 2")
        {
            json, model, batch, threads,
        };
        command.SetAction((parsed, cancellation) => RunAsync(
            parsed.InvocationConfiguration.Output, parsed.GetValue(model), parsed.GetValue(batch), parsed.GetValue(threads) ?? 1, parsed.GetValue(json), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(TextWriter output, ModelName? model, int? batch, int threads, string? json, CancellationToken cancellation)
    {
        var clock = TimeProvider.System;
        var bench = new KernelBench(clock, threads);
        var figures = new List<KernelFigures>();
        output.WriteLine(BenchMachine.Current);
        output.WriteLine(FormattableString.Invariant($"peak {PeakRate.Measure(1, clock, cancellation) / 1e9:0.0} G fused multiply-adds a second on one core"));
        output.WriteLine($"{"",-72} {string.Join("  ", KernelBench.Kernels.Select(kernel => $"{kernel,-25}"))}");
        output.WriteLine($"{"layer",-72} {string.Join("  ", KernelBench.Kernels.Select(_ => "      ms bound   mix   mem"))}{(threads > 1 ? $"  gain from {threads} threads (of a loop's)" : "")}");
        foreach (var layer in KernelShapes.Of(batch).Where(layer => model is not { } only || layer.Models.Contains(only)))
        {
            var measured = bench.Measure(layer, cancellation);
            figures.Add(measured);
            output.WriteLine(Line(measured));
        }

        KernelTarget[] targets = [.. KernelTargets.Of(figures)];
        output.WriteLine();
        foreach (var target in targets)
            output.WriteLine(target.Line(BenchMachine.HasThresholds));
        if (!BenchMachine.HasThresholds)
            output.WriteLine("this processor has no AVX-512, for which the targets are set: none are judged");
        if (json is not null)
        {
            var report = new BenchReport("kernels", BenchMachine.Current, clock.GetUtcNow(), [.. figures.SelectMany(layer => layer.Rows)], new
            {
                SpeedUps = figures.SelectMany(layer => layer.SpeedUps),
                Targets = BenchMachine.HasThresholds ? targets : [],
            });
            await report.WriteAsync(json, cancellation).ConfigureAwait(false);
        }

        return ExitCode.Done;
    }

    private static string Line(KernelFigures figures) =>
        $"{figures.Layer,-72} {string.Join("  ", figures.Rows.Select(row => FormattableString.Invariant($"{row.Seconds * 1e3,8:0.000} {row.OfBound,5:0 %} {row.OfMix,5:0 %} {row.OfMemory,5:0 %}")))}"
        + string.Concat(figures.SpeedUps.Select(gain => FormattableString.Invariant($"  {gain.SpeedUp:0.00} ({gain.OfLoop:0 %})")));

    private static Option<ModelName?> ModelOption() => new("--model")
    {
        Description = "Only the layers of this model",
        HelpName = string.Join('|', KernelShapes.Models.Select(Spelling.Of)),
        CustomParser = result =>
        {
            if (Spelling.TryParse<ModelName>(result.Tokens[0].Value, out var name) && KernelShapes.Models.Contains(name))
                return name;
            result.AddError($"--model: '{result.Tokens[0].Value}' is not measured; valid: --model resnet20");
            return null;
        },
    };
}
