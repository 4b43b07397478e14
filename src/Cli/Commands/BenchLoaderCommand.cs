using System.CommandLine;
using System.Globalization;
using AdderNet.Cli.Benchmarks;
using AdderNet.Cli.CommandLine;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet bench loader</c>: how fast photographs become training samples, and whether memory stays where it is.</summary>
internal static class BenchLoaderCommand
{
    private const int OneThreadImages = 2000;
    private const double Megabyte = 1e6;

    public static Command Create()
    {
        var data = EnvironmentOption.Text("--data", "Folder of class folders or tar shards", "DIR");
        var json = BenchCommand.JsonOption();
        var images = EnvironmentOption.Number("--images", "Samples to render with all threads; without it 20000", "N", 1, 20000);
        var threads = EnvironmentOption.Number("--threads", "Threads; without it one for each core", "N", 1, 2);
        var command = new ExampleCommand(
            "loader",
            "Renders training samples (random resized crops to 224 x 224) of a folder or tar data set: samples a second of one core and of all, the process's memory over many samples, and a hash of the pixels, which is equal on every machine.",
            "./addernet bench loader --data datasets/photographs",
            "./addernet bench loader --data datasets/photographs --images 2000 --threads 1 --json loader.json")
        {
            data, json, images, threads,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var directory = parsed.GetValue(data)
                ?? throw new CommandFailedException("--data is missing; valid: --data datasets/photographs", ExitCode.WrongInput);
            var output = parsed.InvocationConfiguration.Output;
            var clock = TimeProvider.System;
            using var source = Open(directory);
            var bench = new LoaderBench(source.Train, source.Input.Elements, clock);
            var count = parsed.GetValue(images) ?? 20000;
            output.WriteLine(BenchMachine.Current);
            var one = bench.MeasureOneThread(Math.Min(count, OneThreadImages), cancellation);
            output.WriteLine(Text(one));
            var (all, memory) = bench.MeasureAllThreads(count, parsed.GetValue(threads) ?? Environment.ProcessorCount, cancellation);
            output.WriteLine(Text(all));
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"memory       {memory.AfterFirst / Megabyte:0} MB after the first thousand, {memory.AtEnd / Megabyte:0} MB after {count}, at most {memory.Most / Megabyte:0} MB"));
            var pixels = bench.HashPixels(cancellation);
            output.WriteLine($"pixels       {pixels}");
            if (parsed.GetValue(json) is { } file)
                await new BenchReport("loader", BenchMachine.Current, clock.GetUtcNow(), [one, all], new { memory, pixels_sha256 = pixels }).WriteAsync(file, cancellation).ConfigureAwait(false);
            return ExitCode.Done;
        });
        return command;
    }

    private static DataSource Open(string directory)
    {
        var isTar = Directory.Exists(directory) && Directory.EnumerateFiles(directory, "*.tar", SearchOption.AllDirectories).Any();
        return DataSource.Open(new DataOptions { Format = isTar ? DataFormat.Tar : DataFormat.Folder, Path = directory, Augment = Augmentation.ImageNet }, null);
    }

    private static string Text(LoaderRow row) => string.Create(
        CultureInfo.InvariantCulture,
        $"{row.Threads} thread{(row.Threads == 1 ? " " : "s")}    {row.ImagesPerSecond,6:0} images/s, {row.ImagesPerSecondPerCore:0} a core, over {row.Images}");
}
