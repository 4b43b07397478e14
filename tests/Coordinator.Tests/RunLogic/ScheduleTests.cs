using AdderNet.Coordinator.RunLogic;
using Xunit;

namespace AdderNet.Coordinator.Tests.RunLogic;

public class ScheduleTests
{
    private const long Steps = 40;

    [Fact]
    public void Whatever_is_killed_cut_off_joined_or_restarted_on_the_way_the_run_completes_with_each_step_once()
    {
        var (faults, regenerated) = (0, 0L);
        for (var seed = 1; seed <= 300; seed++)
        {
            var world = Play(seed);
            Assert.True(world.State.Phase is Ended { Condition: RunCondition.Completed }, $"seed {seed}: {world.State.Phase.GetType().Name}, {world.State.Reason}; faults: {string.Join(", ", world.Faults)}");
            Assert.True(Enumerable.Range(1, (int)Steps).Select(s => (long)s).SequenceEqual(world.Metrics), $"seed {seed}: lines {string.Join(' ', world.Metrics)}; faults: {string.Join(", ", world.Faults)}");
            Assert.Equal([10L, 20L, 30L, 40L], world.State.Evaluations.Select(e => e.Step));
            faults += world.Faults.Count;
            regenerated += world.State.LastGeneration;
        }

        // The schedules must really have disturbed the runs.
        Assert.True(faults > 900, $"only {faults} faults");
        Assert.True(regenerated > 1500, $"only {regenerated} generations");
    }

    private static ScheduleWorld Play(int seed)
    {
        var world = new ScheduleWorld(seed, Steps);
        world.AddWorker();
        world.AddWorker();
        for (var i = 0; i < 40_000 && !world.State.IsOver; i++)
        {
            if (i < 3000 && world.Draw(150) == 0)
                world.Fault();
            if (!world.Workers.Any(w => w.IsAlive))
                world.AddWorker();
            world.Step();
        }

        return world;
    }
}
