using System.CommandLine;
using AdderNet.Cli.CommandLine;
using AdderNet.Cli.DataSets;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet data fetch|index|verify|shard</c>.</summary>
internal static class DataCommand
{
    public static Command Create()
    {
        var command = new ExampleCommand("data", "Gets data sets, and works on data sets of pictures.", "./addernet data fetch mnist ~/mnist", "./addernet data index /data/imagenet");
        command.Subcommands.Add(CreateFetch());
        command.Subcommands.Add(PictureCommands.CreateIndex());
        command.Subcommands.Add(PictureCommands.CreateVerify());
        command.Subcommands.Add(PictureCommands.CreateShard());
        return command;
    }

    private static ExampleCommand CreateFetch()
    {
        var set = new Argument<string>("set") { Description = "mnist or fashion-mnist", HelpName = "mnist|fashion-mnist" };
        set.Validators.Add(result =>
        {
            var name = result.Tokens[0].Value;
            if (IdxDataSet.Find(name) is null)
                result.AddError($"set: '{name}' is not a data set that can be fetched; valid: mnist, fashion-mnist");
        });
        var folder = new Argument<string>("dir") { Description = "Folder that receives the four IDX files; created when missing", HelpName = "DIR" };
        var command = new ExampleCommand(
            "fetch",
            "Fetches a data set's four IDX files, uncompressed, under their usual names, and verifies their checksums. Files that are already there and right are kept.",
            "./addernet data fetch mnist ~/mnist",
            "./addernet data fetch fashion-mnist ~/fashion-mnist")
        {
            set, folder,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = parsed.InvocationConfiguration.Output;
            await DataSetFetch.RunAsync(
                IdxDataSet.Find(parsed.GetRequiredValue(set))!, Path.GetFullPath(parsed.GetRequiredValue(folder)), output.WriteLine, cancellation).ConfigureAwait(false);
            return ExitCode.Done;
        });
        return command;
    }
}
