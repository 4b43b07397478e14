using System.CommandLine;
using System.CommandLine.Parsing;
using AdderNet.Cli.CommandLine;
using AdderNet.Cli.DataSets;
using AdderNet.Cli.Evaluation;
using AdderNet.Cli.Training;
using AdderNet.Core.Configuration;
using AdderNet.Core.Sharding;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet evaluate CONFIG --checkpoint FILE</c>: top-1, top-5, mean loss and the worst confusions on the test set.</summary>
internal static class EvaluateCommand
{
    private const int ShownConfusions = 5;

    public static Command Create(Interruption interruption)
    {
        var description = new DescriptionOptions();
        var checkpoint = new Option<string>("--checkpoint")
        {
            Description = "Checkpoint (state.safetensors) or weights (final.safetensors)",
            HelpName = "FILE",
            Required = true,
        };
        var data = EnvironmentOption.Text("--data", "Folder of the data, instead of the description's data.path", "DIR");
        var workers = EnvironmentOption.Number("--workers", "Worker processes; the figures do not depend on it", "N", 1, 2);
        var threads = EnvironmentOption.Number("--threads", "Compute threads of each worker; without it the cores shared out", "N", 1, 2);
        var decodeThreads = ThreadOptions.CreateDecodeThreads();
        var perClass = new Option<string?>("--per-class") { Description = "Also writes a table of the classes (CSV)", HelpName = "FILE" };
        var blocks = new Option<ShardRange?>(EvaluationWorkers.BlocksOption) { Hidden = true, CustomParser = ParseBlocks };
        var command = new ExampleCommand(
            "evaluate",
            "Runs trained weights on the test set and prints top-1, top-5, mean loss and the worst confusions.",
            "./addernet evaluate configs/mnist-lenet5.yaml --checkpoint runs/mnist-lenet5/final.safetensors --data ~/.cache/addernet/mnist",
            "./addernet evaluate configs/imagenet-resnet50.yaml --checkpoint runs/imagenet-resnet50/final.safetensors --data /data/imagenet --workers 4 --per-class classes.csv")
        {
            checkpoint, data, workers, threads, decodeThreads, perClass, blocks,
        };
        description.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var run = description.Load(parsed);
            RunDescriptionFile.RequireDataPath(run, parsed.GetValue(data), parsed.GetRequiredValue(description.Config));
            var (folder, fetch) = DataLocation.Resolve(parsed.GetValue(data) ?? run.Data.Path);
            var output = parsed.InvocationConfiguration.Output;
            var share = parsed.GetValue(blocks);
            using var parent = share is null ? null : new ParentPipe(interruption, TimeProvider.System);
            if (fetch is not null && share is null)
                await DataSetFetch.RunAsync(fetch, folder!, Console.Error.WriteLine, cancellation).ConfigureAwait(false);

            var count = parsed.GetValue(workers) ?? 1;
            var each = parsed.GetValue(threads) ?? Math.Max(1, Environment.ProcessorCount / count);
            var decoders = parsed.GetValue(decodeThreads) ?? ThreadOptions.DecodeThreads(each);
            var weights = Path.GetFullPath(parsed.GetRequiredValue(checkpoint));
            using var test = new TestSet(run, folder, weights, each, decoders);
            if (share is { } range)
            {
                foreach (var block in test.Evaluate(range.First, Math.Min(range.End, test.Blocks), parent!.Ended))
                    output.WriteLine(block.ToLine());
                return ExitCode.Done;
            }

            var progress = new ProgressLines(Console.Error.WriteLine, TimeProvider.System);
            var done = 0;
            void Count(EvaluatedBlock block) => progress.Show("evaluated", Interlocked.Add(ref done, block.Labels.Length), test.Data.Test.Count);
            var evaluated = count == 1
                ? EvaluateHere(test, Count, cancellation)
                : await new EvaluationWorkers(WorkerArguments(), Count).RunAsync(test.Blocks, Math.Min(count, test.Blocks), cancellation).ConfigureAwait(false);
            var result = new EvaluationResult(test.Classes, evaluated);
            if (parsed.GetValue(perClass) is { } table)
                WriteTable(table, result.Csv(test.ClassName));
            Print(output, result, test);
            return ExitCode.Done;

            IReadOnlyList<string> WorkerArguments() =>
            [
                "evaluate", parsed.GetRequiredValue(description.Config), "--checkpoint", weights,
                .. folder is null ? Array.Empty<string>() : ["--data", folder],
                .. (parsed.GetValue(description.Set) ?? []).SelectMany(setting => new[] { "--set", setting }),
                "--threads", $"{each}", "--decode-threads", $"{decoders}",
            ];
        });
        return command;
    }

    private static List<EvaluatedBlock> EvaluateHere(TestSet test, Action<EvaluatedBlock> done, CancellationToken cancellation)
    {
        var blocks = new List<EvaluatedBlock>();
        foreach (var block in test.Evaluate(0, test.Blocks, cancellation))
        {
            blocks.Add(block);
            done(block);
        }

        return blocks;
    }

    private static void Print(TextWriter output, EvaluationResult result, TestSet test)
    {
        output.WriteLine($"top-1  {ProgressText.Percent(result.Top1)}");
        output.WriteLine($"top-5  {ProgressText.Percent(result.Top5)}");
        output.WriteLine($"loss   {result.Loss.ToString("0.000000", null)}");
        output.WriteLine($"on {result.Samples} test samples; weights {test.WeightsHash}");
        foreach (var confusion in result.WorstConfusions.Take(ShownConfusions))
        {
            output.WriteLine(
                $"mistaken  {confusion.Times} of {result.Classes[confusion.Label].Samples} of class {Named(confusion.Label)} for {Named(confusion.Taken)}");
        }

        string Named(int label) => test.ClassName(label) is var name && name == $"{label}" ? name : $"{label} ({name})";
    }

    private static void WriteTable(string file, IEnumerable<string> lines)
    {
        try
        {
            File.WriteAllLines(file, lines);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException($"--per-class: {file} cannot be written: {e.Message}");
        }
    }

    private static ShardRange? ParseBlocks(ArgumentResult result)
    {
        var ends = result.Tokens[0].Value.Split('-');
        if (ends.Length == 2 && int.TryParse(ends[0], out var first) && int.TryParse(ends[1], out var end) && first >= 0 && first <= end)
            return new ShardRange(first, end);
        result.AddError($"{EvaluationWorkers.BlocksOption}: '{result.Tokens[0].Value}' is not FIRST-END; valid: {EvaluationWorkers.BlocksOption} 0-8");
        return null;
    }
}
