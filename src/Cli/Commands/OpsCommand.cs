using System.CommandLine;
using AdderNet.Cli.CommandLine;
using AdderNet.Cli.Operations;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Models;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet ops MODEL</c>: operations, parameters and activations of a model, beside the paper's figures.</summary>
internal static class OpsCommand
{
    private const int LargestSide = 1024;

    public static Command Create()
    {
        var model = new Argument<ModelName>("model")
        {
            Description = "Model",
            HelpName = string.Join('|', Spelling.All<ModelName>()),
            CustomParser = result => ParsedValue.Spelled<ModelName>(result, "model"),
        };
        var method = new Option<LayerMethod>("--method")
        {
            Description = "What its layers compute",
            HelpName = string.Join('|', Spelling.All<LayerMethod>()),
            CustomParser = result => ParsedValue.Spelled<LayerMethod>(result, "--method"),
            DefaultValueFactory = _ => LayerMethod.Adder,
        };
        var size = ParsedValue.Number("--image-size", "Side of the square image in pixels; without it 28 for lenet5, 32 for the CIFAR models, 224 for resnet18 and resnet50", 1, LargestSide, 224);
        var classes = ParsedValue.Number("--classes", "Number of classes; without it 1000 for resnet18 and resnet50, 10 for the others", 2, 100_000, 100);
        var command = new ExampleCommand(
            "ops",
            "Counts a model's additions, multiplications, XNORs, parameters and activations for one image, by layer and in all, beside the paper's figures.",
            "./addernet ops resnet20",
            "./addernet ops resnet50 --method conv --image-size 64")
        {
            model, method, size, classes,
        };
        command.SetAction(parsed =>
        {
            var name = parsed.GetRequiredValue(model);
            var imageNet = name is ModelName.ResNet18 or ModelName.ResNet50;
            var side = parsed.GetValue(size) ?? (imageNet ? 224 : name == ModelName.LeNet5 ? 28 : 32);
            var options = new ModelOptions { Name = name, Method = parsed.GetValue(method), Classes = parsed.GetValue(classes) ?? (imageNet ? 1000 : 10) };
            var input = new InputShape(side, side, name == ModelName.LeNet5 ? 1 : 3);
            OperationCounts counts;
            try
            {
                counts = OperationCounts.Of(options, input);
            }
            catch (InvalidDescriptionException)
            {
                throw new CommandFailedException($"--image-size: {side} is too small for {Spelling.Of(name)}; valid: --image-size 32", ExitCode.WrongInput);
            }
            catch (OverflowException)
            {
                throw new CommandFailedException($"--image-size {side} and --classes {options.Classes} make a model of more than {int.MaxValue} parameters; valid: --image-size 224 --classes 1000", ExitCode.WrongInput);
            }

            foreach (var line in OperationsReport.Lines(options, input, counts))
                parsed.InvocationConfiguration.Output.WriteLine(line);
            return ExitCode.Done;
        });
        return command;
    }
}
