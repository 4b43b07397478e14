using System.CommandLine;
using AdderNet.Cli.Benchmarks;
using AdderNet.Cli.CommandLine;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet bench index</c>: how long a large data set takes to open.</summary>
internal static class BenchIndexCommand
{
    private const int ImageNetSamples = 1_281_167;
    private const int Times = 3;

    public static Command Create()
    {
        var json = BenchCommand.JsonOption();
        var samples = EnvironmentOption.Number("--samples", "Pictures in the index; without it as many as ImageNet has for training, 1281167", "N", 1, ImageNetSamples);
        var command = new ExampleCommand(
            "index", "Generates the index of a large data set and times how it is opened.", "./addernet bench index --json index.json")
        {
            samples, json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = parsed.InvocationConfiguration.Output;
            output.WriteLine(BenchMachine.Current);
            var rows = new IndexBench(TimeProvider.System).Measure(parsed.GetValue(samples) ?? ImageNetSamples, Times, cancellation);
            foreach (var row in rows)
                output.WriteLine(FormattableString.Invariant($"{row.Samples} pictures, {row.FileMegabytes:0.0} MB: opened in {row.LoadSeconds:0.00} s, {row.LoadMegabytes:0.0} MB"));
            if (parsed.GetValue(json) is { } file)
                await new BenchReport("index", BenchMachine.Current, TimeProvider.System.GetUtcNow(), rows, null).WriteAsync(file, cancellation).ConfigureAwait(false);
            return ExitCode.Done;
        });
        return command;
    }
}
