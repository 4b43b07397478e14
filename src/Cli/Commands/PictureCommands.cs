using System.CommandLine;
using AdderNet.Cli.CommandLine;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet data index|verify|shard</c>: work on data sets of single pictures.</summary>
internal static class PictureCommands
{
    private const int DefaultShardMegabytes = 256;

    public static Command CreateIndex()
    {
        var folder = Folder("dir", "Class folders (train/CLASS/NAME.jpg, val/CLASS/NAME.jpg) or tar shards (train-000000.tar, val-000000.tar)", "DIR");
        var command = new ExampleCommand(
            "index",
            "Lists a data set of pictures and writes its index, which training reads instead of listing the folders again. Training makes a missing index itself.",
            "./addernet data index /data/imagenet")
        {
            folder,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var output = parsed.InvocationConfiguration.Output;
            var progress = Progress(output);
            var set = PictureDataSet.Index(parsed.GetRequiredValue(folder), done => progress.Show("listed", done), cancellation);
            Describe(output, set);
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    public static Command CreateVerify()
    {
        var folder = Folder("dir", "A data set of pictures, as for data index", "DIR");
        var threads = EnvironmentOption.Number("--threads", "Threads to decode with; without it one for each core", "N", 1, 2);
        var command = new ExampleCommand(
            "verify",
            "Lists a data set anew, decodes every picture, names those that do not decode, and notes them in the index; runs with data.on_error: skip leave them out. Status 1 when there are any.",
            "./addernet data verify /data/imagenet")
        {
            folder, threads,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var output = parsed.InvocationConfiguration.Output;
            var progress = Progress(output);
            var (set, faults) = PictureDataSet.Verify(
                parsed.GetRequiredValue(folder), parsed.GetValue(threads) ?? Environment.ProcessorCount, (done, all) => progress.Show("decoded", done, all), cancellation);
            foreach (var fault in faults)
                output.WriteLine(fault);
            Describe(output, set);
            if (faults.Count == 0)
                return Task.FromResult(ExitCode.Done);
            throw new CommandFailedException(
                $"{faults.Count} of {set.TrainCount + set.ValidationCount} pictures cannot be decoded; mend or remove them, or leave them out with data.on_error: skip");
        });
        return command;
    }

    public static Command CreateShard()
    {
        var source = Folder("source", "A data set of pictures, as for data index", "SRC");
        var destination = Folder("destination", "Folder that receives the shards; created when missing", "DST");
        var size = EnvironmentOption.Number("--shard-megabytes", "Size after which a shard is full, in MB of 10^6 bytes", "N", 1, DefaultShardMegabytes);
        var command = new ExampleCommand(
            "shard",
            "Packs a data set of pictures into tar shards (WebDataset naming) for data.format: tar. Samples keep their order, so training on the shards gives the same weights. An interrupted command is taken up by the same command.",
            "./addernet data shard /data/imagenet /data/imagenet-tar",
            "./addernet data shard /data/imagenet /data/imagenet-tar --shard-megabytes 1000")
        {
            source, destination, size,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var output = parsed.InvocationConfiguration.Output;
            var progress = Progress(output);
            var set = PictureDataSet.Shard(
                parsed.GetRequiredValue(source), parsed.GetRequiredValue(destination), 1_000_000L * (parsed.GetValue(size) ?? DefaultShardMegabytes),
                (done, all) => progress.Show("packed", done, all), cancellation);
            Describe(output, set);
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Argument<string> Folder(string name, string description, string shown) => new(name) { Description = description, HelpName = shown };

    private static ProgressLines Progress(TextWriter output) => new(output.WriteLine, TimeProvider.System);

    private static void Describe(TextWriter output, PictureDataSet set)
    {
        output.WriteLine($"data.format: {(set.Format == DataFormat.Tar ? "tar" : "folder")}, {set.Classes} classes, {set.TrainCount} training and {set.ValidationCount} validation pictures");
        output.WriteLine($"manifest  {set.ManifestHash(OnTrouble.Stop)}{(set.UndecodableCount > 0 ? $", with data.on_error: skip {set.ManifestHash(OnTrouble.Skip)}" : "")}");
        output.WriteLine($"index     {set.IndexPath}");
    }
}
