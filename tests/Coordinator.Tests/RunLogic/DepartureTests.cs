using AdderNet.Coordinator.RunLogic;
using Xunit;

namespace AdderNet.Coordinator.Tests.RunLogic;

public class DepartureTests
{
    [Fact]
    public void A_member_that_asks_to_leave_finishes_the_step_and_is_released_at_the_boundary()
    {
        var run = Leave(new RunScript().Started("a", "b").Train(2), "b");
        Assert.Empty(run.Actions);
        run.Vote("a").Vote("b");
        Assert.Equal(["a", "b"], run.Sent<CommitOrder>().Select(s => s.Worker));
        Assert.Equal("b", Assert.Single(run.Sent<ReleasedOrder>()).Worker);
        run.Grant();
        Assert.Equal((3L, "a"), (run.State.Generation!.BaseStep, Assert.Single(run.State.Generation.Members).WorkerId));
    }

    [Fact]
    public void The_last_one_to_leave_writes_a_checkpoint_first_and_the_run_then_waits()
    {
        var run = Leave(new RunScript().Started("a").Train(2), "a").Vote("a");
        Assert.Equal("checkpoints/step-00000003/state.safetensors", Assert.Single(run.Sent<WriteCheckpointOrder>()).Order.File);
        Assert.Empty(run.Sent<ReleasedOrder>());
        Assert.Empty(run.Sent<StartStepOrder>());
        run.WriteCheckpoint();
        Assert.Single(run.Sent<ReleasedOrder>());
        Assert.Contains("waiting for workers: 0 of at least 1", run.Reason, StringComparison.Ordinal);
        run.Connect("b");
        Assert.Equal("checkpoints/step-00000003/state.safetensors", Assert.Single(run.Sent<WelcomeOrder>()).Order.ResumeFrom);
    }

    [Fact]
    public void When_all_leave_at_once_the_state_is_saved_once_and_all_are_released()
    {
        var run = new RunScript().Started("a", "b").Train(2);
        Leave(Leave(run, "a"), "b").Vote("a").Vote("b");
        Assert.Single(run.Sent<WriteCheckpointOrder>());
        run.WriteCheckpoint();
        Assert.Equal(["a", "b"], run.Sent<ReleasedOrder>().Select(s => s.Worker));
    }

    [Fact]
    public void Below_min_workers_one_that_leaves_may_still_save_what_only_it_holds()
    {
        var run = new RunScript(d => d with { Elastic = d.Elastic with { MinWorkers = 2 } }).Started("a", "b").Train(2).Close("b").After(500);
        Assert.Contains("1 of at least 2", run.Reason, StringComparison.Ordinal);
        Leave(run, "a").Grant().InPosition("a").WriteCheckpoint();
        Assert.Single(run.Sent<ReleasedOrder>());
        Assert.Equal(2, run.State.Newest(CheckpointKind.Periodic)!.Step);
    }

    [Fact]
    public void One_that_nobody_counts_on_is_released_at_once()
    {
        var run = new RunScript().Started("a").Connect("b");
        Assert.Equal("b", Assert.Single(Leave(run, "b").Sent<ReleasedOrder>()).Worker);
        Assert.IsType<Stepping>(run.State.Phase);
    }

    private static RunScript Leave(RunScript run, string worker) => run.Feed(new MemberLeaves(worker, run.Session(worker), "asked to leave"));
}
