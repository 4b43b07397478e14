using AdderNet.Core.Configuration;
using AdderNet.Simulation.Faults;
using AdderNet.Simulation.Network;
using Xunit;

namespace AdderNet.Simulation.Tests;

/// <summary>A link between two workers carries nothing for the rest of the run, and nothing else happens.</summary>
public class SilentLinkTests
{
    private static readonly TimeSpan LongestStep = TimeSpan.FromMilliseconds(400);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Two_workers_cut_from_one_another_hold_the_run_up_for_less_than_a_lease_and_a_second(bool bothWays)
    {
        for (var seed = 1L; seed <= 50; seed++)
        {
            var scenario = Calm(seed);
            var cut = new Fault(bothWays ? FaultKind.CutPeers : FaultKind.CutPeersOneWay, default, Site.Commit, Nth: 7, TimeSpan.FromHours(1));
            var world = new World(scenario, new FaultSchedule([cut], CalmAt: TimeSpan.FromHours(1)), new Story(isTold: false));

            var (commits, since, longest) = (0L, TimeSpan.Zero, TimeSpan.Zero);
            while (!world.Watch.IsOver && world.Time.Next())
            {
                world.Watch.Look();
                if (world.Watch.Commits == commits)
                    continue;
                if (commits > 0 && world.Time.Now - since > longest)
                    longest = world.Time.Now - since;
                (commits, since) = (world.Watch.Commits, world.Time.Now);
            }

            Assert.Null(world.Watch.Violation);
            Assert.True(world.Watch.HasEnded, $"seed {seed} did not complete");
            Assert.Equal(1, world.Struck.Of(cut.Kind));
            Assert.InRange(longest, scenario.Plan.Lease / 2, scenario.Plan.Lease + TimeSpan.FromSeconds(1) + LongestStep);
        }
    }

    /// <summary>Three workers on good links, who evaluate and write nothing on the way.</summary>
    private static Scenario Calm(long seed)
    {
        var drawn = Scenario.Draw(seed);
        var description = drawn.Description with
        {
            Evaluation = new EvaluationOptions { EveryEpochs = 0 },
            Checkpoint = drawn.Description.Checkpoint with { EverySteps = 0 },
            Elastic = drawn.Description.Elastic with { MinWorkers = 1, Rebalance = false },
        };
        return drawn with
        {
            Workers = 3,
            NonFiniteStep = 0,
            Shard = TimeSpan.FromMilliseconds(10),
            Weather = new NetworkWeather(TimeSpan.FromMilliseconds(0.1), TimeSpan.FromMilliseconds(1), 0, 0, 0, 0),
            Plan = drawn.Plan with { Description = description, ExpectedWorkers = 3 },
        };
    }
}
