using System.CommandLine;
using AdderNet.Cli.CommandLine;
using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet pause|resume|cancel [RUN]</c>.</summary>
internal static class ControlCommand
{
    public static IEnumerable<Command> CreateAll() =>
    [
        Create("pause", "Lets a run wait at the next step boundary; its workers stay."),
        Create("resume", "Lets a paused run go on."),
        Create("cancel", "Ends a run for good; what it has written stays."),
    ];

    private static ExampleCommand Create(string action, string description)
    {
        var run = RunArgument.Create();
        var coordinator = CoordinatorClient.AddressOption();
        var command = new ExampleCommand(action, description, $"./addernet {action}") { run, coordinator };
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = new CoordinatorClient(parsed.GetValue(coordinator)!);
            var status = await client.CallAsync(
                CoordinationMethods.ControlRun,
                new ControlRunRequest { RunId = parsed.GetValue(run) ?? "", Action = action },
                cancellation).ConfigureAwait(false);
            StatusCommand.Print(status, parsed.InvocationConfiguration.Output);
            return ExitCode.Done;
        });
        return command;
    }
}
