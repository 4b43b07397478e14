using AdderNet.Simulation.Faults;
using AdderNet.Simulation.Invariants;

namespace AdderNet.Simulation;

/// <summary>What became of one seed.</summary>
/// <param name="Seed">Which.</param>
/// <param name="Violation">The invariant that did not hold; null: all did.</param>
/// <param name="Struck">Faults that struck.</param>
/// <param name="Events">Events that happened.</param>
/// <param name="VirtualTime">How long the run took in its own time.</param>
/// <param name="Commits">Steps committed, those redone included.</param>
/// <param name="Redone">Steps committed again.</param>
/// <param name="Generations">Generations made.</param>
/// <param name="Story">What happened, if it was told.</param>
internal sealed record SeedResult(
    long Seed, Violation? Violation, FaultLog Struck, long Events, TimeSpan VirtualTime, long Commits, long Redone, long Generations, Story Story);

/// <summary>Plays one seed from its start to its end; the same seed gives the same story.</summary>
internal static class SeedPlay
{
    /// <summary>More events than any sound run of this size needs.</summary>
    private const long MostEvents = 500_000;

    public static SeedResult Run(long seed, bool tell)
    {
        var story = new Story(tell);
        var scenario = Scenario.Draw(seed);
        var world = new World(scenario, FaultSchedule.Draw(seed), story);
        var violation = Play(world);
        story.Tell(world.Time.Now, "world", $"{(violation is null ? "all invariants held" : $"VIOLATION: {violation.Rule}: {violation.What}")}");
        return new SeedResult(
            seed, violation, world.Struck, world.Time.Happened, world.Time.Now, world.Watch.Commits, world.Watch.Redone,
            world.Store.Generations.Count, story);
    }

    private static Violation? Play(World world)
    {
        while (!world.Watch.IsOver)
        {
            if (world.Time.Happened > MostEvents)
                return new Violation("a run ends", $"after {MostEvents} events it has not");
            try
            {
                if (!world.Time.Next())
                    return world.Watch.Violation ?? new Violation("a run ends", "it has not, and nothing is planned any more");
            }
            catch (Exception e)
            {
                world.Watch.Threw("an event", e);
            }

            world.Watch.Look();
        }

        return world.Watch.Violation;
    }
}
