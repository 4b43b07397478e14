using System.CommandLine;
using System.Globalization;
using AdderNet.Cli.Benchmarks;
using AdderNet.Cli.Benchmarks.Exchange;
using AdderNet.Cli.CommandLine;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet bench exchange</c>: the all-reduce of a gradient between processes, beside bare HTTP/2 and TCP.</summary>
internal static class BenchExchangeCommand
{
    /// <summary>ResNet-50's gradient.</summary>
    private const double ResNet50 = 102;

    public static Command Create()
    {
        var workers = new Option<int>("--workers") { Description = "Processes", HelpName = "N", DefaultValueFactory = _ => 2 };
        workers.Validators.Add(result => Require(result, workers, value => value is >= 2 and <= 16, "between 2 and 16", "--workers 4"));
        var megabytes = new Option<double>("--megabytes") { Description = "Size of the gradient", HelpName = "M", DefaultValueFactory = _ => ResNet50 };
        megabytes.Validators.Add(result => Require(result, megabytes, value => value is >= 0.001 and <= 2000, "between 0.001 and 2000", "--megabytes 102"));
        var bucket = new Option<double>("--bucket-megabytes") { Description = "As exchange.bucket_megabytes", HelpName = "M", DefaultValueFactory = _ => 4 };
        bucket.Validators.Add(result => Require(result, bucket, value => value is >= 0.01 and <= 64, "between 0.01 and 64", "--bucket-megabytes 4"));
        var group = new Option<int>("--group-size") { Description = "As exchange.group_size", HelpName = "N", DefaultValueFactory = _ => 0 };
        group.Validators.Add(result => Require(result, group, value => value is >= 0 and <= 65536, "between 0 and 65536", "--group-size 2"));
        var rounds = new Option<int>("--rounds") { Description = "Samples of each", HelpName = "N", DefaultValueFactory = _ => 9 };
        rounds.Validators.Add(result => Require(result, rounds, value => value is >= 1 and <= 1000, "between 1 and 1000", "--rounds 9"));
        var warmUp = new Option<double>("--warm-up") { Description = "Longest time for rounds that do not count, until the just-in-time compiler rests", HelpName = "SECONDS", DefaultValueFactory = _ => WarmUp.Longest.TotalSeconds };
        warmUp.Validators.Add(result => Require(result, warmUp, value => value is >= 0 and <= 600, "between 0 and 600", "--warm-up 60"));
        var alone = new Option<bool>("--alone") { Description = "The all-reduce only, without what it is compared with" };
        var model = new Option<bool>("--model") { Description = "Measures nothing: tells by the cost model of docs/exchange.md what 8 to 1,024 workers would take" };
        var json = BenchCommand.JsonOption();
        var command = new ExampleCommand(
            "exchange",
            "Reduces a gradient over processes on this machine as workers do, and moves the same bytes as bare HTTP/2 responses, protobuf gRPC streams and plain TCP, in turn.",
            "./addernet bench exchange --workers 4 --json exchange.json",
            "./addernet bench exchange --model")
        {
            workers, megabytes, bucket, group, rounds, warmUp, alone, model, json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = parsed.InvocationConfiguration.Output;
            var load = new ExchangeLoad(parsed.GetValue(workers), parsed.GetValue(megabytes), parsed.GetValue(bucket), parsed.GetValue(group), parsed.GetValue(rounds), TimeSpan.FromSeconds(parsed.GetValue(warmUp)), parsed.GetValue(alone));
            if (parsed.GetValue(model))
            {
                foreach (var forecast in ExchangeForecast.Table(load.Megabytes * 1e6, load.BucketMegabytes * (1 << 20)))
                    output.WriteLine(forecast);
                return ExitCode.Done;
            }

            output.WriteLine(BenchMachine.Current);
            var (rows, ratios) = await new ExchangeBench(load, TimeProvider.System).MeasureAsync(cancellation).ConfigureAwait(false);
            foreach (var row in rows)
                output.WriteLine(row);
            if (ratios is not null)
            {
                output.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"all-reduce {ratios.AllReduceOfHttp:0.00} times the time of bare HTTP/2 among all; one stream {ratios.StreamOfHttp:0.00} times the rate of bare HTTP/2, {ratios.StreamOfPlain:0.00} times that of protobuf messages"));
            }

            if (parsed.GetValue(json) is { } file)
                await new BenchReport("exchange", BenchMachine.Current, TimeProvider.System.GetUtcNow(), [.. rows], ratios).WriteAsync(file, cancellation).ConfigureAwait(false);
            return ExitCode.Done;
        });
        return command;
    }

    /// <summary>A member's process; only <c>bench exchange</c> starts it.</summary>
    public static Command CreateMember()
    {
        var index = new Argument<int>("INDEX");
        var length = new Argument<int>("ELEMENTS");
        var bucket = new Argument<double>("MEGABYTES");
        var group = new Argument<int>("MEMBERS");
        var command = new Command("exchange-member") { index, length, bucket, group };
        command.Hidden = true;
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var member = new ExchangeMember(parsed.GetValue(index), parsed.GetValue(length), (long)(parsed.GetValue(bucket) * (1 << 20)), parsed.GetValue(group));
            await member.ServeAsync(Console.In, parsed.InvocationConfiguration.Output, cancellation).ConfigureAwait(false);
            return ExitCode.Done;
        });
        return command;
    }

    private static void Require<T>(System.CommandLine.Parsing.OptionResult result, Option<T> option, Func<T, bool> valid, string range, string example)
    {
        if (result.GetValueOrDefault<T>() is { } value && !valid(value))
            result.AddError(string.Create(CultureInfo.InvariantCulture, $"{option.Name}: {value} is not {range}; valid: {example}"));
    }
}
