using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using AdderNet.Cli.Commands;
using AdderNet.Core.Checkpoints;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;

namespace AdderNet.Cli.CommandLine;

/// <summary>The whole command line: parses, runs the command, and turns every failure into one line and an exit status.</summary>
internal static class AdderNetCommand
{
    /// <returns>The exit status, see <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] arguments)
    {
        using var interruption = new Interruption();
        var root = Create(interruption);
        // `addernet` alone is a question, not a mistake.
        var parsed = root.Parse(arguments.Length == 0 ? ["--help"] : arguments);
        if (parsed.Errors.Count > 0 && parsed.Action is not ExampleHelp)
        {
            await Console.Error.WriteLineAsync(Explain(parsed)).ConfigureAwait(false);
            return ExitCode.WrongInput;
        }

        if (parsed.Tokens.Any(token => token is { Type: TokenType.Argument, Value.Length: 0 }))
        {
            await Console.Error.WriteLineAsync(Explain(parsed, "an argument is empty: ''")).ConfigureAwait(false);
            return ExitCode.WrongInput;
        }

        var report = new FailureLine(Console.Error, parsed.GetValue(LogOptions.Format), TimeProvider.System);
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            }, interruption.Requested).ConfigureAwait(false);
        }
        catch (CommandFailedException e)
        {
            report.Write("addernet: " + e.Message);
            return e.ExitCode;
        }
        catch (InvalidDescriptionException e)
        {
            report.Write("addernet: " + e.Message);
            return ExitCode.WrongInput;
        }
        catch (Exception e) when (e is DataException or TensorFileException)
        {
            report.Write("addernet: " + e.Message);
            return ExitCode.NotDone;
        }
        catch (OperationCanceledException)
        {
            report.Write("addernet: interrupted");
            return ExitCode.NotDone;
        }
        catch (Exception e)
        {
            // Nothing foresaw this one; where it arose is what a report of it needs.
            var frame = e.StackTrace?.Split('\n').FirstOrDefault(line => line.Contains("AdderNet.", StringComparison.Ordinal))?.Trim();
            report.Write($"addernet: unexpected {e.GetType().Name}: {e.Message}{(frame is null ? "" : $" ({frame})")}");
            return ExitCode.NotDone;
        }
    }

    private static Command Create(Interruption interruption)
    {
        var help = new HelpOption();
        help.Action = new ExampleHelp((HelpAction)help.Action!);
        var root = new ExampleCommand(
            "addernet",
            "AdderNet trains adder networks on many machines; the resulting bits do not depend on the machines.",
            "./addernet train configs/mnist-lenet5.yaml --workers 2",
            "./addernet train --help")
        {
            help,
            new VersionOption(),
            LogOptions.Format,
            TrainCommand.Create(interruption),
            CoordinatorCommand.Create(interruption),
            WorkerCommand.Create(interruption),
            SubmitCommand.Create(),
            RunsCommand.Create(),
            StatusCommand.Create(),
            EvaluateCommand.Create(interruption),
            ReplayCommand.Create(),
            WeightsCommands.CreateImport(),
            WeightsCommands.CreateExport(),
            OpsCommand.Create(),
            BenchCommand.Create(),
            SimulateCommand.Create(),
            DataCommand.Create(),
        };
        foreach (var control in ControlCommand.CreateAll())
            root.Subcommands.Add(control);
        return root;
    }

    private static string Explain(ParseResult parsed) => Explain(parsed, parsed.UnmatchedTokens.Count > 0
        ? $"'{parsed.UnmatchedTokens[0]}' is not known to '{parsed.CommandResult.Command.Name}'"
        : string.Join(" ", parsed.Errors[0].Message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).TrimEnd('.'));

    private static string Explain(ParseResult parsed, string message)
    {
        var command = parsed.CommandResult.Command;
        var example = (command as ExampleCommand)?.Examples.FirstOrDefault();
        return message.Contains("valid:", StringComparison.Ordinal) || example is null
            ? $"addernet: {message}"
            : $"addernet: {message}; valid: {example}";
    }
}
