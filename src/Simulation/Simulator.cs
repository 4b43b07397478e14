using System.Globalization;
using AdderNet.Simulation.Faults;

namespace AdderNet.Simulation;

/// <summary>What <c>addernet simulate</c> prints.</summary>
public static class Simulator
{
    /// <summary>Tells one seed's story and verdict.</summary>
    /// <returns>Whether every invariant held.</returns>
    public static bool Tell(long seed, TextWriter output)
    {
        var result = SeedPlay.Run(seed, tell: true);
        foreach (var line in result.Story.Lines)
            output.WriteLine(line);
        output.WriteLine();
        Verdict(result, output);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"story hash {result.Story.Hash:x16}; {result.Events} events, {result.VirtualTime.TotalSeconds:0.0} s of virtual time, {result.Commits} commits ({result.Redone} again), {result.Generations} generations"));
        return result.Violation is null;
    }

    /// <summary>Plays many seeds; says how often each fault struck and what it hit.</summary>
    /// <returns>Whether every invariant held in all of them.</returns>
    public static bool Play(long first, long seeds, int threads, bool stopAtFirst, TextWriter output, CancellationToken cancellation)
    {
        var result = Campaign.Run(
            first, seeds, threads, stopAtFirst,
            played =>
            {
                if (played % Math.Max(1000, seeds / 20) == 0)
                    output.WriteLine($"{played} of {seeds} seeds");
            },
            failure => Verdict(failure, output),
            cancellation);
        Describe(result, output);
        if (result.Failed.Count == 0)
            return true;
        output.WriteLine();
        output.WriteLine($"the story of seed {result.Failed[0].Seed}:");
        Tell(result.Failed[0].Seed, output);
        return false;
    }

    /// <summary>What many seeds came to.</summary>
    internal static void Describe(CampaignResult result, TextWriter output)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{result.Played} seeds: {result.Events} events, {result.VirtualTime.TotalHours:0.0} h of virtual time, {result.Commits} commits ({result.Redone} again), {result.Generations} generations"));
        Faults(result.Struck, output);
        foreach (var failure in result.Failed)
            Verdict(failure, output);
        output.WriteLine($"{result.Played - result.Failed.Count} seeds held, {result.Failed.Count} failed");
    }

    private static void Verdict(SeedResult result, TextWriter output) => output.WriteLine(result.Violation is { } violation
        ? $"seed {result.Seed} FAILED: {violation.Rule}: {violation.What}; replay: ./addernet simulate --seed {result.Seed}"
        : $"seed {result.Seed} held");

    /// <summary>One line a fault: how often it struck, and what the run was doing. A fault that never struck is named too.</summary>
    private static void Faults(FaultLog struck, TextWriter output)
    {
        foreach (var kind in Enum.GetValues<FaultKind>())
        {
            var hit = struck.Struck.Where(s => s.Key.Kind == kind).OrderByDescending(s => s.Value).Select(s => $"{s.Key.Phase} {s.Value}");
            var times = struck.Of(kind);
            output.WriteLine($"  {kind,-18} {times,8}  {(times == 0 ? "NEVER STRUCK" : string.Join(", ", hit))}");
        }
    }
}
