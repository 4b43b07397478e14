using System.CommandLine;

namespace AdderNet.Cli.Commands;

/// <summary>The optional RUN of commands about one run.</summary>
internal static class RunArgument
{
    public static Argument<string?> Create() => new("run")
    {
        Description = "Run id as `runs` lists it; without one, the only or newest run",
        HelpName = "RUN",
        Arity = ArgumentArity.ZeroOrOne,
    };
}
