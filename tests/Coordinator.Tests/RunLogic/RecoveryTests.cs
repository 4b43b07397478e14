using AdderNet.Coordinator.RunLogic;
using Xunit;

namespace AdderNet.Coordinator.Tests.RunLogic;

public class RecoveryTests
{
    private static readonly CheckpointRecord AtFifty = new(50, CheckpointKind.Periodic, "checkpoints/step-00000050/state.safetensors", "sha", 7, "w", 0x50);

    private static RunMemory Running(params string[] members) => new()
    {
        Facts = new RunFacts("build 1", 1, "managed", "probe", "id", "data", 16 * 100, 25, ["conv1"]),
        LastGeneration = 7,
        ExpectedBack = [.. members],
        Checkpoints = [AtFifty],
        Evaluations = [new EvaluationRecord(50, 25, 9, 15, 4.5), new EvaluationRecord(60, 25, 10, 15, 4.5)],
    };

    private static MemberReport At(long step, ulong hash, long pending = 0, ulong pendingHash = 0) =>
        new(step, hash, RunScript.Outcome(), $"state {step}", pending, pendingHash);

    [Fact]
    public void A_restarted_coordinator_waits_for_the_stored_members_and_goes_on_from_the_highest_applied_step()
    {
        var run = new RunScript(memory: Running("a", "b")).Connect("a").Prepare("a", At(56, 0x56, 57, 0x57));
        Assert.Contains("waiting for b to come back", run.Reason);
        run.Connect("b").Prepare("b", At(57, 0x57));
        Assert.Equal(8, run.Single<ProposeGeneration>().Number);
        run.Grant();

        var plan = run.Sent<GenerationStartedOrder>()[0].Order.Plan;
        Assert.Equal((57L, 0x57UL), (plan.BaseStep, plan.BaseHash));
        Assert.Equal(["b", "a"], plan.Sources.ToArray());
        Assert.All(plan.Members, m => Assert.True(m.Votes)); // a holds 57 pending with the hash that b applied
        var cut = run.Single<CutHistory>();
        Assert.Equal((57L, 57L, 0.5f), (cut.Step, cut.Restored!.Step, cut.Restored.Outcome.Loss));
        Assert.Equal([50L], run.State.Evaluations.Select(e => e.Step));
    }

    [Fact]
    public void A_stored_member_that_does_not_come_back_is_waited_for_as_long_as_its_lease()
    {
        var run = new RunScript(memory: Running("a", "b")).Connect("a").Prepare("a", At(57, 0x57)).AfterWithBeats(2_400);
        Assert.IsType<Gathering>(run.State.Phase);
        run.AfterWithBeats(200);
        Assert.Equal(["a"], run.Single<ProposeGeneration>().Members.Select(m => m.WorkerId));
    }

    [Fact]
    public void When_nobody_could_come_back_in_time_the_first_to_come_is_not_followed_before_the_others_had_a_moment()
    {
        var run = new RunScript(memory: Running("a", "b")).AfterWithBeats(5_000).Connect("a").Prepare("a", At(57, 0x57));
        Assert.Contains("waiting for b to come back", run.Reason);
        run.Connect("b").Prepare("b", At(58, 0x58)).Grant();
        Assert.Equal(58, run.State.Generation!.BaseStep);
    }

    [Fact]
    public void An_evaluation_that_the_store_holds_gets_its_line_again_when_the_run_is_taken_up()
    {
        var run = new RunScript(memory: Running("a")).Connect("a").Prepare("a", At(60, 0x60)).Grant();
        Assert.Equal((60L, 10L), (run.Single<CutHistory>().Evaluated!.Evaluation.Step, run.Single<CutHistory>().Evaluated!.Evaluation.Top1Hits));
    }

    [Fact]
    public void A_restarted_coordinator_does_not_wait_again_for_the_workers_that_the_submission_expected()
    {
        var run = new RunScript(expected: 3, memory: Running("a")).Connect("a").Prepare("a", At(57, 0x57));
        Assert.Single(run.Single<ProposeGeneration>().Members);
    }

    [Fact]
    public void With_no_member_beyond_it_the_newest_checkpoint_is_the_base()
    {
        var run = new RunScript(memory: Running("a")).AfterWithBeats(2_600).Connect("z").Prepare("z").AfterWithBeats(500).Grant();
        var plan = Assert.Single(run.Sent<GenerationStartedOrder>()).Order.Plan;
        Assert.Equal((50L, 0x50UL, AtFifty.File), (plan.BaseStep, plan.BaseHash, plan.Checkpoint));
        Assert.Empty(plan.Sources);
    }

    [Fact]
    public void With_neither_members_nor_checkpoint_the_run_starts_from_initial_weights()
    {
        var run = new RunScript().Join("a").Grant();
        var plan = run.State.Generation!;
        Assert.Equal((0L, 0UL, ""), (plan.BaseStep, plan.BaseHash, plan.Checkpoint));
        Assert.Empty(plan.Sources);
    }

    [Fact]
    public void A_pending_step_that_was_committed_is_as_good_as_applied()
    {
        var run = new RunScript().Started("a", "b").Train(1).Vote("a").Vote("b").Close("b").Close("a").After(300).Connect("a");
        run.Prepare("a", At(1, RunScript.Hash, 2, RunScript.Hash)).After(200).Grant();
        Assert.Equal(["a"], run.State.Generation!.Members.Select(m => m.WorkerId));
        Assert.Equal((2L, RunScript.Hash), (run.State.Generation.BaseStep, run.State.Generation.BaseHash));
        Assert.DoesNotContain(run.Actions, a => a is CutHistory);
    }

    [Fact]
    public void A_member_found_ahead_starts_a_new_generation_at_its_step()
    {
        var run = new RunScript(memory: Running()).Connect("a").Prepare("a", At(50, 0x50)).Grant().InPosition("a").Train(51);
        run.Connect("b").Prepare("b", At(57, 0x57)).Grant();
        Assert.Equal((57L, "b"), (run.State.Generation!.BaseStep, run.State.Generation.Sources.Single()));
        Assert.Equal(57, run.Single<CutHistory>().Step);
    }

    [Fact]
    public void When_all_who_held_a_committed_step_are_lost_history_is_cut_back_to_the_checkpoint()
    {
        var run = new RunScript(d => d with { Checkpoint = d.Checkpoint with { EverySteps = 4 } }).Started("a").Train(4).WriteCheckpoint().Train(6);
        run.Close("a").AfterWithBeats(2_500, silent: "a").Join("b").Grant();
        Assert.Equal(4, run.State.Generation!.BaseStep);
        Assert.Equal(4, run.Single<CutHistory>().Step);
        Assert.Equal(4, run.State.Committed.Step);
    }

    [Fact]
    public void Members_that_applied_different_steps_of_one_number_end_the_run_naming_both()
    {
        var run = new RunScript(memory: Running("a", "b")).Connect("a").Prepare("a", At(57, 0x57)).Connect("b").Prepare("b", At(57, 0x99));
        Assert.Equal(RunCondition.Failed, run.Single<EndRun>().Condition);
        Assert.Contains("b 0000000000000099", run.Reason);
    }

    [Fact]
    public void Members_in_position_with_different_states_end_the_run_naming_each_hash()
    {
        var run = new RunScript(expected: 2).Join("a", "b").Grant().InPosition("a");
        run.Feed(new MemberInPosition("b", run.Session("b"), 1, 0, "another state"));
        Assert.Equal(RunCondition.Failed, run.Single<EndRun>().Condition);
        Assert.Contains("a state 0, b another state", run.Reason);
    }
}
