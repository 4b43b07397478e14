using System.CommandLine;
using AdderNet.Cli.CommandLine;
using AdderNet.Simulation;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet simulate</c>: plays seeded schedules of faults against the run's state machines, in virtual time.</summary>
internal static class SimulateCommand
{
    private const long MostSeeds = 100_000_000;

    public static Command Create()
    {
        var seed = Number("--seed", "Play this seed and tell its story", 1, long.MaxValue, 7);
        var seeds = Number("--seeds", "Play so many seeds and count what struck", 1, MostSeeds, 2000);
        var first = Number("--first", "First seed of --seeds; without it 1", 1, long.MaxValue, 1);
        var stop = new Option<bool>("--stop") { Description = "End --seeds with the first that fails" };
        var command = new ExampleCommand(
            "simulate",
            "Plays coordinators, store, workers and network in virtual time, with the faults of a seed, and checks every promise after every event. A failing seed tells its story and exits 1.",
            "./addernet simulate --seeds 2000",
            "./addernet simulate --seed 7")
        {
            seed, seeds, first, stop,
        };
        command.Validators.Add(result =>
        {
            if ((result.GetValue(seed) is null) == (result.GetValue(seeds) is null))
                result.AddError("give either --seed or --seeds; valid: ./addernet simulate --seeds 2000");
        });
        command.SetAction((parsed, cancellation) =>
        {
            var output = parsed.InvocationConfiguration.Output;
            var held = parsed.GetValue(seed) is { } one
                ? Simulator.Tell(one, output)
                : Simulator.Play(
                    parsed.GetValue(first) ?? 1, parsed.GetValue(seeds)!.Value, Environment.ProcessorCount, parsed.GetValue(stop), output, cancellation);
            return Task.FromResult(held ? ExitCode.Done : ExitCode.NotDone);
        });
        return command;
    }

    private static Option<long?> Number(string name, string description, long minimum, long maximum, long example) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = result =>
        {
            if (long.TryParse(result.Tokens[0].Value, out var number) && number >= minimum && number <= maximum)
                return number;
            result.AddError($"{name}: '{result.Tokens[0].Value}' is not a whole number from {minimum} to {maximum}; valid: {name} {example}");
            return null;
        },
    };
}
