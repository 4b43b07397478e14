using System.CommandLine;
using AdderNet.Cli.CommandLine;
using AdderNet.Cli.DataSets;
using AdderNet.Core.Checkpoints;
using AdderNet.Core.Engine;
using AdderNet.Core.Models;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet import</c> and <c>addernet export</c>: weights from and to the state dicts of other programs.</summary>
internal static class WeightsCommands
{
    public static Command CreateImport()
    {
        var input = FileOption("--input", "State dict (safetensors, float32) with the released code's names; a module. prefix is accepted, num_batches_tracked ignored");
        var output = FileOption("--output", "Weights for evaluate --checkpoint and train --init");
        return Create(
            "import",
            "Turns a plain state dict into weights of the described model, so that what was trained elsewhere evaluates and trains on here. A missing, surplus or misshapen tensor is an error.",
            "./addernet import configs/cifar10-resnet20.yaml --input resnet20.safetensors --output weights.safetensors",
            input, output, (path, layout, weights) => WeightsFile.Save(path, layout, weights, "import"));
    }

    public static Command CreateExport()
    {
        var checkpoint = FileOption("--checkpoint", "Checkpoint (state.safetensors) or weights (final.safetensors)");
        var output = FileOption("--output", "State dict (safetensors, float32) with the released code's names, for load_state_dict");
        return Create(
            "export",
            "Writes a checkpoint's parameters and running statistics as a plain state dict that other frameworks load.",
            "./addernet export configs/mnist-lenet5.yaml --checkpoint runs/mnist-lenet5/final.safetensors --output lenet5.safetensors",
            checkpoint, output, WeightsFile.Export);
    }

    private static Option<string> FileOption(string name, string description) => new(name) { Description = description, HelpName = "FILE", Required = true };

    private static ExampleCommand Create(
        string name, string text, string example, Option<string> source, Option<string> target, Func<string, ModelLayout, ReplicaState, SavedFile> write)
    {
        var description = new DescriptionOptions();
        var command = new ExampleCommand(name, text, example) { source, target };
        description.AddTo(command);
        command.SetAction(parsed =>
        {
            var run = description.Load(parsed);
            var layout = ModelCatalog.Describe(run.Model, ModelInput.Of(run.Data)).Layout;
            var weights = WeightsFile.Load(parsed.GetRequiredValue(source), layout);
            var path = Path.GetFullPath(parsed.GetRequiredValue(target));
            try
            {
                write(path, layout, weights);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new CommandFailedException($"cannot write {path}: {e.Message}");
            }

            parsed.InvocationConfiguration.Output.WriteLine($"written to {path}; weights {WeightsHash.Compute(layout, weights)}");
            return ExitCode.Done;
        });
        return command;
    }
}
