using System.CommandLine;
using AdderNet.Cli.CommandLine;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet bench NAME</c>: each benchmark is a command of its own.</summary>
internal static class BenchCommand
{
    public static Command Create()
    {
        var command = new ExampleCommand("bench", "Measures this machine: ratios taken side by side in one run.", "./addernet bench kernels --json kernels.json", "./addernet bench step resnet20");
        command.Subcommands.Add(BenchKernelsCommand.Create());
        command.Subcommands.Add(BenchStepCommand.Create());
        command.Subcommands.Add(BenchLoaderCommand.Create());
        command.Subcommands.Add(BenchPixelsCommand.Create());
        command.Subcommands.Add(BenchIndexCommand.Create());
        command.Subcommands.Add(BenchCoordinatorCommand.Create());
        command.Subcommands.Add(BenchExchangeCommand.Create());
        command.Subcommands.Add(BenchExchangeCommand.CreateMember());
        return command;
    }

    /// <summary>The option that every benchmark has.</summary>
    public static Option<string?> JsonOption() => new("--json") { Description = "Also writes the figures to this file", HelpName = "FILE" };
}
