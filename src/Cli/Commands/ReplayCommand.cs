using System.CommandLine;
using AdderNet.Cli.CommandLine;
using AdderNet.Core.Engine;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet replay CONFIG</c>: runs given steps, so that another framework's can be laid beside them.</summary>
internal static class ReplayCommand
{
    public static Command Create()
    {
        var description = new DescriptionOptions();
        var input = new Option<string>("--input")
        {
            Description = "Case: images F32 [steps,B,C,H,W] (normalised), labels I64 [steps,B], model.<name> to start from",
            HelpName = "CASE.safetensors",
            Required = true,
        };
        var output = new Option<string>("--output")
        {
            Description = "Result: loss F32 [steps], grad.<step>.<name>, model.<name> after the last step",
            HelpName = "OUT.safetensors",
            Required = true,
        };
        var threads = EnvironmentOption.Number("--threads", "Compute threads; without it one for each core", "N", 1, 2);
        var command = new ExampleCommand(
            "replay",
            "Runs the training steps of a case file (one shard, constant learning rate, zero initial momentum) and writes losses, gradients and final weights, to compare with another framework. "
            + "The description's data, batch and schedule are ignored.",
            "./addernet replay configs/mnist-lenet5.yaml --input case.safetensors --output out.safetensors")
        {
            input, output, threads,
        };
        description.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var result = Path.GetFullPath(parsed.GetRequiredValue(output));
            try
            {
                await ReplayRunner.RunAsync(
                    description.Load(parsed), parsed.GetRequiredValue(input), result,
                    parsed.GetValue(threads) ?? Environment.ProcessorCount, cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new CommandFailedException($"cannot write {result}: {e.Message}");
            }

            parsed.InvocationConfiguration.Output.WriteLine($"written to {result}");
            return ExitCode.Done;
        });
        return command;
    }
}
