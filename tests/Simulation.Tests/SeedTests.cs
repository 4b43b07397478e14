using AdderNet.Simulation.Faults;
using Xunit;
using Xunit.Abstractions;

namespace AdderNet.Simulation.Tests;

/// <summary>Seeded schedules of faults against the classes that the processes run, in virtual time.</summary>
public class SeedTests(ITestOutputHelper log)
{
    private const int Seeds = 2000;

    [Fact]
    public void In_two_thousand_disturbed_runs_every_promise_holds_after_every_event()
    {
        var result = Campaign.Run(1, Seeds, Environment.ProcessorCount, stopAtFirst: false, progress: null, failure: null, CancellationToken.None);

        using var report = new StringWriter();
        Simulator.Describe(result, report);
        log.WriteLine(report.ToString());
        Assert.True(result.Failed.Count == 0, report.ToString());
        Assert.Equal(Seeds, result.Played);

        // A run whose faults never struck proves nothing.
        foreach (var kind in Enum.GetValues<FaultKind>())
            Assert.True(result.Struck.Of(kind) >= 20, $"{kind} struck {result.Struck.Of(kind)} times in {Seeds} seeds");
        foreach (var phase in new[] { "Gathering", "Proposing", "Positioning", "Stepping", "Evaluating", "no coordinator" })
            Assert.True(result.Struck.Struck.Where(s => s.Key.Phase == phase).Sum(s => s.Value) >= 20, $"hardly any fault struck while {phase}");
        Assert.True(result.Generations > 2 * Seeds, $"only {result.Generations} generations");
        Assert.True(result.Redone > 0, "no step was ever redone: nothing drastic happened");
    }

    [Theory]
    [InlineData(7)]
    [InlineData(1234)]
    [InlineData(987654321)]
    public void A_seed_replays_to_the_same_story_line_by_line(long seed)
    {
        var first = SeedPlay.Run(seed, tell: true);
        var second = SeedPlay.Run(seed, tell: true);
        var untold = SeedPlay.Run(seed, tell: false);

        Assert.Equal(first.Story.Lines, second.Story.Lines);
        Assert.Equal(first.Story.Hash, second.Story.Hash);
        Assert.NotEqual(0UL, first.Story.Hash);
        Assert.Equal((first.Events, first.VirtualTime, first.Commits), (untold.Events, untold.VirtualTime, untold.Commits));
    }

    [Fact]
    public void Other_seeds_have_other_stories() =>
        Assert.NotEqual(SeedPlay.Run(1, tell: true).Story.Hash, SeedPlay.Run(2, tell: true).Story.Hash);

    [Fact]
    public void A_story_ends_with_its_verdict_and_its_hash()
    {
        using var output = new StringWriter();

        Assert.True(Simulator.Tell(7, output));

        Assert.Contains("seed 7 held", output.ToString(), StringComparison.Ordinal);
        Assert.Contains($"story hash {SeedPlay.Run(7, tell: true).Story.Hash:x16}", output.ToString(), StringComparison.Ordinal);
    }
}
