using System.CommandLine;
using AdderNet.Cli.CommandLine;
using AdderNet.Cli.DataSets;
using AdderNet.Cli.Training;
using AdderNet.Core.Checkpoints;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet evaluate CONFIG --checkpoint FILE</c>: top-1, top-5 and mean loss on the test set.</summary>
internal static class EvaluateCommand
{
    public static Command Create()
    {
        var description = new DescriptionOptions();
        var checkpoint = new Option<string>("--checkpoint")
        {
            Description = "Checkpoint (state.safetensors) or weights (final.safetensors)",
            HelpName = "FILE",
            Required = true,
        };
        var data = EnvironmentOption.Text("--data", "Folder of the data, instead of the description's data.path", "DIR");
        var threads = EnvironmentOption.Number("--threads", "Compute threads; without it one for each core", "N", 1, 2);
        var command = new ExampleCommand(
            "evaluate",
            "Runs trained weights on the test set and prints top-1, top-5 and mean loss.",
            "./addernet evaluate configs/mnist-lenet5.yaml --checkpoint runs/mnist-lenet5/final.safetensors --data ~/.cache/addernet/mnist")
        {
            checkpoint, data, threads,
        };
        description.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var run = description.Load(parsed);
            RunDescriptionFile.RequireDataPath(run, parsed.GetValue(data), parsed.GetRequiredValue(description.Config));
            var (folder, fetch) = DataLocation.Resolve(parsed.GetValue(data) ?? run.Data.Path);
            var output = parsed.InvocationConfiguration.Output;
            if (fetch is not null)
                await DataSetFetch.RunAsync(fetch, folder!, Console.Error.WriteLine, cancellation).ConfigureAwait(false);
            var source = DataSource.Open(run.Data, folder);
            source.RequireClasses(run.Model.Classes);
            using var replica = ManagedReplica.Create(run, source.Input, 1, parsed.GetValue(threads) ?? Environment.ProcessorCount);
            replica.Import(WeightsFile.Load(parsed.GetRequiredValue(checkpoint), replica.Layout));

            var blocks = new EvaluationBlocks(source.Test, source.Input);
            var sums = Enumerable.Range(0, blocks.Count).Select(block => replica.Evaluate(blocks.Read(block), cancellation)).ToList();
            var samples = (double)sums.Sum(sum => sum.Samples);
            output.WriteLine($"top-1  {ProgressText.Percent(sums.Sum(sum => sum.Top1) / samples)}");
            output.WriteLine($"top-5  {ProgressText.Percent(sums.Sum(sum => sum.Top5) / samples)}");
            output.WriteLine($"loss   {(sums.Sum(sum => sum.LossSum) / samples).ToString("0.000000", null)}");
            output.WriteLine($"on {samples:0} test samples; weights {WeightsHash.Compute(replica.Layout, replica.Export())}");
            return ExitCode.Done;
        });
        return command;
    }
}
