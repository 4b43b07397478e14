using System.CommandLine;
using AdderNet.Cli.Benchmarks;
using AdderNet.Cli.Benchmarks.Coordinator;
using AdderNet.Cli.CommandLine;
using AdderNet.Coordinator.Store;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet bench coordinator</c>: commit latency and memory of a coordinator under simulated workers.</summary>
internal static class BenchCoordinatorCommand
{
    private const int MostWorkers = 512;

    public static Command Create()
    {
        var store = new Option<string?>("--store") { Description = "The coordinator's store; without it a SQLite file made for this", HelpName = "sqlite:FILE|postgres:CONNECTION" };
        store.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } value && StoreAddress.ProblemOf(value) is { } problem)
                result.AddError($"--store: {problem}");
        });
        var host = new Option<string>("--host") { Description = "What keeps the coordinator's runs", HelpName = "embedded|orleans", DefaultValueFactory = _ => CoordinatorHosts.Embedded };
        host.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is { } value && !CoordinatorHosts.Names.Contains(value))
                result.AddError($"--host: this build has no host '{value}'; valid: --host {string.Join(" or --host ", CoordinatorHosts.Names)}");
        });
        var workers = Number("--workers", "Simulated workers", 256, MostWorkers);
        var runs = Number("--runs", "Runs that share the workers", 1, 64);
        var rate = Number("--rate", "Steps a second of each worker", 5, 1000);
        var seconds = Number("--seconds", "Length of the measurement, after a warm-up of 10 s", 60, 86400);
        var json = BenchCommand.JsonOption();
        var command = new ExampleCommand(
            "coordinator",
            "Puts simulated workers (real gRPC streams, no training) on a coordinator process, and measures how long a commit takes from the last vote to each worker, and the coordinator's memory.",
            "./addernet bench coordinator --seconds 600 --json coordinator.json",
            "./addernet bench coordinator --workers 64 --runs 4 --store 'postgres:Host=db.example;Database=bench;Username=addernet'")
        {
            host, store, workers, runs, rate, seconds, json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = parsed.InvocationConfiguration.Output;
            var clock = TimeProvider.System;
            var load = new CoordinatorLoad(
                parsed.GetValue(host)!, parsed.GetValue(store), parsed.GetValue(workers), Math.Min(parsed.GetValue(runs), parsed.GetValue(workers)), parsed.GetValue(rate),
                TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(parsed.GetValue(seconds)));
            output.WriteLine(BenchMachine.Current);
            output.WriteLine($"{load.Workers} workers at {load.StepsPerSecond} steps/s in {load.Runs} run(s)");
            var rows = await new CoordinatorBench(load, clock).MeasureAsync(row => output.WriteLine(row), cancellation).ConfigureAwait(false);
            output.WriteLine($"whole  {rows[^1]}");
            if (parsed.GetValue(json) is { } file)
                await new BenchReport("coordinator", BenchMachine.Current, clock.GetUtcNow(), [.. rows.SkipLast(1)], rows[^1]).WriteAsync(file, cancellation).ConfigureAwait(false);
            return ExitCode.Done;
        });
        return command;
    }

    private static Option<int> Number(string name, string description, int fallback, int most)
    {
        var option = new Option<int>(name) { Description = description, HelpName = "N", DefaultValueFactory = _ => fallback };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is var value && (value < 1 || value > most))
                result.AddError($"{name}: {value} is not between 1 and {most}; valid: {name} {fallback}");
        });
        return option;
    }
}
