using System.CommandLine;
using AdderNet.Core.Configuration;

namespace AdderNet.Cli.CommandLine;

/// <summary>CONFIG and <c>--set</c>: the run description that a command works on.</summary>
internal sealed class DescriptionOptions
{
    public Argument<string> Config { get; } = new("config")
    {
        Description = "Run description (YAML), such as configs/mnist-lenet5.yaml",
        HelpName = "CONFIG",
    };

    public Option<string[]> Set { get; } = new("--set")
    {
        Description = "Overrides one value of the description; may be given several times",
        HelpName = "key=value",
        AllowMultipleArgumentsPerToken = false,
        DefaultValueFactory = _ => [],
    };

    public void AddTo(Command command)
    {
        command.Arguments.Add(Config);
        command.Options.Add(Set);
    }

    /// <summary>The description with every override.</summary>
    /// <exception cref="InvalidDescriptionException">It is wrong.</exception>
    public RunDescription Load(ParseResult parsed) =>
        RunDescriptionFile.Load(parsed.GetRequiredValue(Config), parsed.GetValue(Set));
}
