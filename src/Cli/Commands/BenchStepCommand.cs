using System.CommandLine;
using System.Globalization;
using AdderNet.Cli.Benchmarks;
using AdderNet.Cli.Benchmarks.Workers;
using AdderNet.Cli.CommandLine;
using AdderNet.Core.Configuration;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet bench step MODEL</c>: whole training steps of one shard, by part, beside the bound of the adder layers.</summary>
internal static class BenchStepCommand
{
    private const int LargestBatch = 4096;
    private const int LargestSide = 1024;
    private const int MostThreads = 1024;
    private const int MostWorkers = 16;

    public static Command Create()
    {
        var model = new Argument<ModelName>("model")
        {
            Description = "Model, with adder layers",
            HelpName = string.Join('|', Spelling.All<ModelName>()),
            CustomParser = result => ParsedValue.Spelled<ModelName>(result, "model"),
        };
        var batch = ParsedValue.Number("--batch", "Images of the step, one shard; without it 128 for the CIFAR models, 32 for the others. With --workers those of all shards: 64 for resnet18 and resnet50, else 256", 2, LargestBatch, 32);
        var size = ParsedValue.Number("--image-size", "Side of the square image in pixels; without it 28 for lenet5, 32 for the CIFAR models, 224 for resnet18 and resnet50", 1, LargestSide, 224);
        var threads = ParsedValue.Number("--threads", "Threads to compute with, of each worker; 1 without it", 1, MostThreads, 2);
        var workers = WorkersOption();
        var json = BenchCommand.JsonOption();
        var command = new ExampleCommand(
            "step",
            "Times whole training steps (forward, backward, update) on drawn images: images a second, time by part, bytes allocated, peak memory, and the share of the bound that the rate of fused multiply-adds, measured in the same run, gives for the adder layers alone. With --workers: the same run by one and by several worker processes in turn, beside what a loop without memory gains from as many cores, and the share of the exchange that the backward pass hides.",
            "./addernet bench step resnet20 --threads 2",
            "./addernet bench step resnet50 --batch 4 --json step.json",
            "./addernet bench step resnet20 --workers 1,2")
        {
            model, batch, size, threads, workers, json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var name = parsed.GetRequiredValue(model);
            var side = parsed.GetValue(size) ?? StepCase.UsualSide(name);
            StepCase measured;
            try
            {
                measured = StepCase.Of(name, parsed.GetValue(batch) ?? StepCase.UsualBatch(name), side, parsed.GetValue(threads) ?? 1);
            }
            catch (InvalidDescriptionException)
            {
                throw new CommandFailedException($"--image-size: {side} is too small for {Spelling.Of(name)}; valid: --image-size {StepCase.UsualSide(name)}", ExitCode.WrongInput);
            }

            var output = parsed.InvocationConfiguration.Output;
            output.WriteLine(BenchMachine.Current);
            if (parsed.GetValue(workers) is { } numbers)
            {
                var run = new WorkersCase(name, side, parsed.GetValue(batch) ?? WorkersCase.UsualBatch(name), parsed.GetValue(threads) ?? 1, numbers);
                await MeasureWorkersAsync(run, parsed.GetValue(json), output, cancellation).ConfigureAwait(false);
                return ExitCode.Done;
            }

            var report = await new StepBench(TimeProvider.System).MeasureAsync(measured, cancellation).ConfigureAwait(false);
            foreach (var line in report.Lines())
                output.WriteLine(line);
            if (parsed.GetValue(json) is { } file)
                await new BenchReport("step", BenchMachine.Current, TimeProvider.System.GetUtcNow(), [.. report.Parts], report.Summary).WriteAsync(file, cancellation).ConfigureAwait(false);
            return ExitCode.Done;
        });
        return command;
    }

    private static async Task MeasureWorkersAsync(WorkersCase measured, string? json, TextWriter output, CancellationToken cancellation)
    {
        var rows = await new WorkersBench(measured, TimeProvider.System).MeasureAsync(cancellation).ConfigureAwait(false);
        foreach (var line in rows.SelectMany(row => row.Lines()))
            output.WriteLine(line);
        if (json is not null)
            await new BenchReport("step", BenchMachine.Current, TimeProvider.System.GetUtcNow(), [.. rows], measured).WriteAsync(json, cancellation).ConfigureAwait(false);
    }

    private static Option<IReadOnlyList<int>?> WorkersOption() => new("--workers")
    {
        Description = "Numbers of worker processes to compare, ascending, the first one 1",
        HelpName = "N,N...",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            var numbers = text.Split(',').Select(part => int.TryParse(part, CultureInfo.InvariantCulture, out var number) ? number : 0).ToList();
            if (numbers[0] == 1 && numbers.Count > 1 && numbers[^1] <= MostWorkers && numbers.Zip(numbers.Skip(1)).All(pair => pair.First < pair.Second))
                return numbers;
            result.AddError($"--workers: '{text}' is not an ascending list that begins with 1 and ends with at most {MostWorkers}; valid: --workers 1,2");
            return null;
        },
    };
}
