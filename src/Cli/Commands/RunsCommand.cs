using System.CommandLine;
using AdderNet.Cli.CommandLine;
using AdderNet.Cli.Training;
using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet runs [RUN]</c>: every run that a coordinator knows.</summary>
internal static class RunsCommand
{
    public static Command Create()
    {
        var only = new Argument<string?>("run") { Description = "Lists this run only", HelpName = "RUN", Arity = ArgumentArity.ZeroOrOne };
        var coordinator = CoordinatorClient.AddressOption();
        var command = new ExampleCommand(
            "runs", "Lists the runs of a coordinator: id, state, step, accuracy, output folder.",
            "./addernet runs --coordinator http://127.0.0.1:7400")
        {
            only, coordinator,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = new CoordinatorClient(parsed.GetValue(coordinator)!);
            var reply = await client.CallAsync(CoordinationMethods.ListRuns, new ListRunsRequest(), cancellation).ConfigureAwait(false);
            var output = parsed.InvocationConfiguration.Output;
            var wanted = parsed.GetValue(only);
            var listed = reply.Runs.Where(run => wanted is null || run.RunId == wanted).ToList();
            if (wanted is not null && listed.Count == 0)
                throw new CommandFailedException($"run '{wanted}' is not known here; known: {string.Join(", ", reply.Runs.Select(run => run.RunId))}");
            foreach (var run in listed)
                output.WriteLine($"{run.RunId}  {run.State,-13} {ProgressText.Steps(run)}  top-1 {ProgressText.Top1(run)}  {run.Name}  {run.Output}");
            if (listed.Count == 0)
                output.WriteLine("no runs");
            return ExitCode.Done;
        });
        return command;
    }
}
