using System.CommandLine;
using AdderNet.Cli.CommandLine;
using AdderNet.Cli.Training;
using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet runs</c>: every run that a coordinator knows.</summary>
internal static class RunsCommand
{
    public static Command Create()
    {
        var coordinator = CoordinatorClient.AddressOption();
        var command = new ExampleCommand(
            "runs", "Lists the runs of a coordinator: id, state, step, accuracy, output folder.",
            "./addernet runs --coordinator http://127.0.0.1:7400")
        {
            coordinator,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = new CoordinatorClient(parsed.GetValue(coordinator)!);
            var reply = await client.CallAsync(CoordinationMethods.ListRuns, new ListRunsRequest(), cancellation).ConfigureAwait(false);
            var output = parsed.InvocationConfiguration.Output;
            foreach (var run in reply.Runs)
                output.WriteLine($"{run.RunId}  {run.State,-13} step {run.Step}/{run.TotalSteps}  top-1 {ProgressText.Top1(run)}  {run.Name}  {run.Output}");
            if (reply.Runs.Count == 0)
                output.WriteLine("no runs");
            return ExitCode.Done;
        });
        return command;
    }
}
