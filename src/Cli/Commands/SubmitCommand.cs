using System.CommandLine;
using AdderNet.Cli.CommandLine;
using AdderNet.Core.Configuration;
using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet submit CONFIG</c>: hands a run to a coordinator that is already there.</summary>
internal static class SubmitCommand
{
    public static Command Create()
    {
        var description = new DescriptionOptions();
        var coordinator = CoordinatorClient.AddressOption();
        var init = new Option<string?>("--init") { Description = "Initial weights (.safetensors) that every worker can read", HelpName = "FILE" };
        var command = new ExampleCommand(
            "submit",
            "Hands a run to a coordinator; workers that are connected, or connect later, train it. The description's checkpoint.path is its output folder.",
            "./addernet submit configs/mnist-lenet5.yaml --set checkpoint.path=/shared/runs/mnist --set data.path=/shared/mnist")
        {
            coordinator, init,
        };
        description.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var run = description.Load(parsed);
            var source = parsed.GetRequiredValue(description.Config);
            if (string.IsNullOrEmpty(run.Checkpoint.Path))
                throw InvalidDescriptionException.OfKey(source, "checkpoint.path", null, "is missing: it is the run's output folder", "--set checkpoint.path=/shared/runs/mnist");
            await using var client = new CoordinatorClient(parsed.GetValue(coordinator)!);
            var reply = await client.CallAsync(
                CoordinationMethods.SubmitRun,
                new SubmitRunRequest
                {
                    Description = RunDescriptionFile.Write(run),
                    InitialWeights = parsed.GetValue(init) is { } file ? Path.GetFullPath(file) : "",
                },
                cancellation).ConfigureAwait(false);
            var status = await client.CallAsync(CoordinationMethods.GetRun, new GetRunRequest { RunId = reply.RunId }, cancellation).ConfigureAwait(false);
            parsed.InvocationConfiguration.Output.WriteLine(
                status.State == "completed" ? $"{reply.RunId} (finished already, at step {status.Step})"
                : reply.Resumed ? $"{reply.RunId} (goes on)"
                : reply.RunId);
            return ExitCode.Done;
        });
        return command;
    }
}
