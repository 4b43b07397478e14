using AdderNet.Worker.Membership;
using Xunit;
using static AdderNet.Worker.Tests.Membership.MemberScript;

namespace AdderNet.Worker.Tests.Membership;

public class MemberMachineTest
{
    private readonly MemberScript member = AtStep10();

    [Fact]
    public void A_step_is_computed_exchanged_voted_for_committed_and_applied()
    {
        member.Order(new StepOrder(Run, 3, 11));
        Assert.Equal(11, member.Did<ComputeStep>().Step);
        member.EndWork(n => new StepComputed(n));
        Assert.Equal(11, member.Did<ExchangeStep>().Step);
        member.EndWork(n => new StepReduced(n, 5, Facts(11), new StepEffort(2, 100, 1, 0.5, 0)));
        Assert.Equal(5UL, member.Told<VoteReport>().Hash);
        Assert.Empty(member.Actions.OfType<ApplyStep>());
        member.Order(new CommitOrder(Run, 3, 11, 5, Skip: false));
        Assert.Equal(11, member.Did<ApplyStep>().Step);
        member.EndWork(n => new StepApplied(n));
        Assert.Equal((11, 5UL, new Contribution(1, 2, 100)), (member.State.AppliedStep, member.State.AppliedHash, member.State.Totals));
        Assert.Empty(member.State.Held);
    }

    [Fact]
    public void Only_the_held_step_with_the_committed_hash_is_applied()
    {
        member.Order(new CommitOrder(Run, 3, 11, 5, false));
        Assert.Contains("holds none", member.Told<FailedReport>().Why, StringComparison.Ordinal);
        member.Hold(11, 5);
        member.Order(new CommitOrder(Run, 3, 11, 6, false));
        Assert.Contains("0000000000000006", member.Told<FailedReport>().Why, StringComparison.Ordinal);
        Assert.Empty(member.Actions.OfType<ApplyStep>());
        Assert.Equal(10, member.State.AppliedStep);
    }

    [Theory]
    [InlineData(9)]
    [InlineData(10)]
    [InlineData(11)]
    public void A_step_computed_before_is_not_computed_again(long step)
    {
        member.Hold(11, 5);
        member.Order(new StepOrder(Run, 3, step));
        member.OnlyNoted(NoteKind.Ignored);
    }

    [Fact]
    public void A_step_that_does_not_follow_is_a_failed_phase()
    {
        member.Order(new StepOrder(Run, 3, 12));
        Assert.Equal("asked for step 12 while at step 10", member.Told<FailedReport>().Why);
    }

    [Fact]
    public void What_is_late_is_refused_with_the_numbers_and_what_is_early_is_held()
    {
        member.Order(new StepOrder(Run, 2, 11));
        member.OnlyNoted(NoteKind.Ignored);
        Assert.Contains("it is of generation 2, this member in 3", member.Reason, StringComparison.Ordinal);
        member.Order(new StepOrder("other", 3, 11));
        member.OnlyNoted(NoteKind.Ignored);

        member.Order(new StepOrder(Run, 4, 11));
        member.OnlyNoted(NoteKind.Held);
        member.Order(Generation(4, 10));
        member.EndWork(n => new BaseReached(n, "state"));
        Assert.Equal(11, member.Did<ComputeStep>().Step);
    }

    [Fact]
    public void Orders_that_come_while_the_member_works_are_followed_in_their_sequence()
    {
        member.Hold(11, 5);
        member.Order(new CommitOrder(Run, 3, 11, 5, false));
        member.Order(new StepOrder(Run, 3, 12));
        member.OnlyNoted(NoteKind.Held);
        member.EndWork(n => new StepApplied(n));
        Assert.Equal(12, member.Did<ComputeStep>().Step);
    }

    [Fact]
    public void Too_much_that_is_early_is_dropped_and_the_coordinator_told()
    {
        for (var i = 0; i <= MemberMachine.MostEarly; i++)
            member.Order(new StepOrder(Run, 4, 11));
        Assert.Equal(10, member.Told<PreparedReport>().AppliedStep);
        Assert.Empty(member.State.Early);
    }

    [Fact]
    public void A_new_generation_ends_the_work_in_progress_and_is_entered_when_it_has_ended()
    {
        member.Order(new StepOrder(Run, 3, 11));
        member.Order(Generation(4, 10));
        member.Did<AbortWork>();
        Assert.Empty(member.Actions.OfType<EnterGeneration>());
        member.Order(Generation(5, 10));
        member.EndWork(n => new WorkAborted(n));
        Assert.Equal(5, member.Did<EnterGeneration>().View.Generation);
    }

    [Fact]
    public void A_result_of_work_that_is_over_changes_nothing()
    {
        member.Order(new StepOrder(Run, 3, 11));
        var old = member.State.Work!.Number;
        member.Order(Generation(4, 10));
        member.Play(new WorkAborted(old));
        member.Play(new StepComputed(old));
        member.OnlyNoted(NoteKind.Ignored);
        Assert.IsType<MemberWork.Positioning>(member.State.Work);
    }

    [Fact]
    public void A_step_that_is_being_applied_is_applied_before_a_new_generation_is_entered()
    {
        member.Hold(11, 5);
        member.Order(new CommitOrder(Run, 3, 11, 5, false));
        member.Order(Generation(4, 11, 5));
        Assert.Empty(member.Actions.OfType<AbortWork>());
        member.EndWork(n => new StepApplied(n));
        Assert.IsType<Stay>(member.Did<EnterGeneration>().Route);
    }

    [Fact]
    public void A_held_step_is_kept_until_the_base_is_announced()
    {
        member.Hold(11, 5);
        member.Play(new SessionLost("broke"));
        member.Order(Welcome());
        Assert.Equal((11, 5UL), (member.Told<PreparedReport>().PendingStep, member.Told<PreparedReport>().PendingHash));
        member.Order(Generation(4, 11, 5, "w2"));
        Assert.Equal(11, Assert.IsType<ApplyHeld>(member.Did<EnterGeneration>().Route).Steps.Single().Step);
        member.EndWork(n => new BaseReached(n, "state"));
        Assert.Equal((11, 5UL, Facts(11)), (member.State.AppliedStep, member.State.AppliedHash, member.State.AppliedFacts!));
    }

    [Fact]
    public void A_held_step_beyond_the_announced_base_is_void()
    {
        member.Hold(11, 5);
        member.Order(Generation(4, 10));
        Assert.IsType<Stay>(member.Did<EnterGeneration>().Route);
        Assert.Empty(member.State.Held);
    }

    [Fact]
    public void A_step_reduced_after_its_generation_ended_is_held_and_not_voted_for()
    {
        member.Order(new StepOrder(Run, 3, 11));
        member.EndWork(n => new StepComputed(n));
        member.Order(Welcome());
        member.EndWork(n => new StepReduced(n, 5, Facts(11), StepEffort.None));
        Assert.Empty(member.Reports.OfType<VoteReport>());
        Assert.Equal(11, member.Told<PreparedReport>().PendingStep);
    }

    [Fact]
    public void A_member_ahead_of_the_base_does_not_go_back_but_reports_what_it_holds()
    {
        member.Order(Generation(4, 9));
        Assert.Contains("no replica goes back", member.Reason, StringComparison.Ordinal);
        Assert.Equal(10, member.Told<PreparedReport>().AppliedStep);
        Assert.Equal(3, member.State.Generation);
    }

    [Fact]
    public void Only_a_newer_generation_that_lists_the_member_is_entered()
    {
        foreach (var order in new[] { Generation(3, 10), Generation(2, 10), new GenerationOrder(Generation(4, 10).View with { Members = [] }) })
        {
            member.Order(order);
            member.OnlyNoted(NoteKind.Ignored);
        }
    }

    [Fact]
    public void A_generation_whose_base_was_not_reached_can_be_announced_again()
    {
        member.Order(Generation(4, 12, 7, "w2"));
        member.EndWork(n => new WorkFailed(n, "the source is gone", "w2"));
        Assert.Equal(("position", "w2"), (member.Told<FailedReport>().Phase, member.Told<FailedReport>().Peer));
        member.Order(Generation(4, 12, 7, "w3"));
        Assert.IsType<Download>(member.Did<EnterGeneration>().Route);
    }

    [Fact]
    public void An_apply_that_fails_ends_the_process()
    {
        member.Hold(11, 5);
        member.Order(new CommitOrder(Run, 3, 11, 5, false));
        member.EndWork(n => new ApplyFailed(n, "out of memory"));
        Assert.True(member.Did<Finish>().Failed);
    }

    [Fact]
    public void A_phase_is_only_done_at_its_own_boundary()
    {
        member.Order(new EvaluateOrder(Run, 3, 9, 64, 0, 2));
        Assert.Equal("evaluation", member.Told<FailedReport>().Phase);
        member.Order(new EvaluateOrder(Run, 3, 10, 64, 0, 2));
        member.Did<EvaluateBlocks>();
        member.EndWork(n => new BlocksEvaluated(n, [new BlockSums(0, 64, 3, 9, 1)]));
        Assert.Single(member.Told<EvaluationReport>().Blocks);
    }

    [Fact]
    public void A_file_is_written_while_the_member_trains_on()
    {
        var order = new CheckpointOrder(Run, 3, 10, "d", "f", false);
        member.Order(order);
        member.Did<WriteFile>();
        member.Order(new StepOrder(Run, 3, 11));
        member.Did<ComputeStep>();
        member.Play(new FileWritten(order, new WrittenFile("p", "s", 1, "h", 0.1, 2)));
        Assert.Equal((10, "f"), (member.Did<Tell>().Step, member.Told<CheckpointReport>().File));
        member.Order(new CheckpointOrder(Run, 3, 11, "d", "f", false));
        Assert.Empty(member.Actions.OfType<WriteFile>());
    }

    [Fact]
    public void One_file_more_than_there_are_buffers_waits_at_its_boundary_and_what_follows_waits_behind_it()
    {
        var orders = Enumerable.Range(0, MemberMachine.MostFiles + 1).Select(i => new CheckpointOrder(Run, 3, 10, "d", $"f{i}", false)).ToArray();
        foreach (var order in orders)
            member.Order(order);
        member.OnlyNoted(NoteKind.Held);
        member.Order(new StepOrder(Run, 3, 11));
        member.OnlyNoted(NoteKind.Held);
        member.Play(new FileWritten(orders[0], new WrittenFile("p", "s", 1, "h", 0.1, 2)));
        Assert.Equal(orders[^1], member.Did<WriteFile>().Order);
        member.Did<ComputeStep>();
    }

    [Fact]
    public void A_file_that_cannot_be_written_is_said_and_training_goes_on()
    {
        var order = new CheckpointOrder(Run, 3, 10, "d", "f", false);
        member.Order(order);
        member.Play(new FileFailed(order, "the disk is full"));
        Assert.Equal("the disk is full", member.Told<FileFailedReport>().Why);
        member.Order(new StepOrder(Run, 3, 11));
        member.Did<ComputeStep>();
    }

    [Fact]
    public void The_runs_end_is_obeyed_unless_it_speaks_of_an_older_generation()
    {
        member.Order(new EndOrder(Run, 2, 10, false, "done"));
        member.OnlyNoted(NoteKind.Ignored);
        member.Order(new EndOrder(Run, 3, 10, false, "done"));
        Assert.False(member.Did<Finish>().Failed);
        member.Order(new StepOrder(Run, 3, 11));
        Assert.Empty(member.Actions);
    }

    [Fact]
    public void A_member_that_was_given_up_leaves_its_work_and_follows_no_order_of_that_generation()
    {
        member.Order(new StepOrder(Run, 3, 11));
        member.Order(new RefusedOrder(Run, "nothing was heard", Final: false));
        member.Did<AbortWork>();
        member.EndWork(n => new WorkAborted(n));
        member.Order(new StepOrder(Run, 3, 11));
        member.OnlyNoted(NoteKind.Ignored);
        member.Order(Welcome());
        member.Told<PreparedReport>();
    }

    [Fact]
    public void Joiners_begin_at_different_sources_and_never_at_themselves()
    {
        var first = Assert.IsType<Download>(Route("w1")).Sources.Select(s => s.WorkerId);
        var second = Assert.IsType<Download>(Route("w0")).Sources.Select(s => s.WorkerId);
        Assert.Equal(["w3", "w2"], first);
        Assert.Equal(["w1", "w2", "w3"], second);

        static BaseRoute? Route(string id) => Generations.RouteToBase(new MemberState { WorkerId = id, RunId = Run }, Generation(4, 10, Hash, "w1", "w2", "w3").View).Route;
    }

    [Fact]
    public void Without_sources_a_checkpoint_is_loaded_and_without_one_only_step_0_can_be_reached()
    {
        var fresh = new MemberState { WorkerId = "w1", RunId = Run };
        Assert.Equal("/c", Assert.IsType<LoadCheckpoint>(Generations.RouteToBase(fresh, Generation(4, 10).View with { Checkpoint = "/c" }).Route).Path);
        Assert.IsType<Stay>(Generations.RouteToBase(fresh, Generation(4, 0).View).Route);
        var (route, reason) = Generations.RouteToBase(fresh, Generation(4, 10).View);
        Assert.Null(route);
        Assert.Equal("step 10 is held by no other member and by no checkpoint; this member is at step 0", reason);
    }

    [Fact]
    public void A_member_that_applied_another_step_than_the_run_downloads_the_runs()
    {
        member.Order(Generation(4, 10, Hash + 1, "w2"));
        Assert.IsType<Download>(member.Did<EnterGeneration>().Route);
    }
}
