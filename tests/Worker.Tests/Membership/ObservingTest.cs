using AdderNet.Worker.Membership;
using Xunit;
using static AdderNet.Worker.Tests.Membership.MemberScript;

namespace AdderNet.Worker.Tests.Membership;

public class ObservingTest
{
    private readonly MemberScript observer = Observing();

    [Fact]
    public void An_observer_queues_means_while_it_downloads_replays_them_and_then_says_from_where_it_could_vote()
    {
        Step(11, 5);
        Step(12, 6);
        Assert.Empty(observer.Actions.OfType<ApplyStep>());
        Assert.Empty(observer.Reports);
        observer.EndWork(n => new BaseReached(n, "state"));
        Assert.Equal(11, observer.Did<ApplyStep>().Step);
        Assert.Equal((12, 6UL), (observer.Did<Tell>().Step, observer.Told<FollowReport>().Hash));
        observer.EndWork(n => new StepApplied(n));
        Assert.Equal(12, observer.Did<ApplyStep>().Step);
        observer.EndWork(n => new StepApplied(n));
        Assert.Equal(12, observer.State.AppliedStep);
    }

    [Fact]
    public void Nothing_is_applied_before_its_commit_and_an_observer_never_votes()
    {
        observer.EndWork(n => new BaseReached(n, "state"));
        Assert.Equal(10, observer.Did<Tell>().Step);
        observer.Order(new StepOrder(Run, 3, 11));
        observer.Play(new MeanTaken(3, 11, 5, Facts(11)));
        Assert.Equal(11, observer.Did<Tell>().Step);
        Assert.Empty(observer.Reports.OfType<VoteReport>());
        Assert.Empty(observer.Actions.OfType<ApplyStep>());
        observer.Order(new CommitOrder(Run, 3, 11, 5, false));
        observer.Did<ApplyStep>();
    }

    [Fact]
    public void An_observer_that_holds_the_new_base_applies_it_and_votes_from_there_on()
    {
        observer.EndWork(n => new BaseReached(n, "state"));
        observer.Order(new StepOrder(Run, 3, 11));
        observer.Play(new MeanTaken(3, 11, 5, Facts(11)));
        observer.Order(Generation(4, 11, 5));
        Assert.Equal(11, Assert.IsType<ApplyHeld>(observer.Did<EnterGeneration>().Route).Steps.Single().Step);
        observer.EndWork(n => new BaseReached(n, "state"));
        observer.Told<InPositionReport>();
    }

    [Fact]
    public void A_queue_that_overflows_makes_the_observer_start_over()
    {
        for (var step = 11; step < 11 + MemberMachine.MostHeldSteps; step++)
            Step(step, (ulong)step);
        observer.Order(new StepOrder(Run, 3, 11 + MemberMachine.MostHeldSteps));
        Assert.Equal("observe", observer.Told<FailedReport>().Phase);
        observer.Did<AbortWork>();
        observer.EndWork(n => new WorkAborted(n));
        observer.Order(new StepOrder(Run, 3, 30));
        observer.OnlyNoted(NoteKind.Ignored);
        observer.Order(Generation(4, 30, 9, votes: false, "w2"));
        observer.Did<EnterGeneration>();
    }

    [Fact]
    public void A_mean_that_differs_from_the_commit_is_never_applied()
    {
        observer.EndWork(n => new BaseReached(n, "state"));
        observer.Order(new StepOrder(Run, 3, 11));
        observer.Order(new CommitOrder(Run, 3, 11, 5, false));
        observer.Play(new MeanTaken(3, 11, 6, Facts(11)));
        Assert.Empty(observer.Actions.OfType<ApplyStep>());
        Assert.Contains("0000000000000006", observer.Told<FailedReport>().Why, StringComparison.Ordinal);
    }

    [Fact]
    public void A_mean_that_cannot_be_had_or_a_step_that_was_missed_makes_the_observer_start_over()
    {
        observer.Order(new StepOrder(Run, 3, 11));
        observer.Play(new MeanMissed(3, 11, "step 11 is over"));
        Assert.Equal("step 11 is over", observer.Told<FailedReport>().Why);

        var other = Observing();
        other.Order(new StepOrder(Run, 3, 12));
        Assert.Equal("observe", other.Told<FailedReport>().Phase);
    }

    [Fact]
    public void An_observer_that_starts_over_keeps_the_means_that_it_may_have_reported_until_the_next_base_is_announced()
    {
        observer.EndWork(n => new BaseReached(n, "state"));
        observer.Order(new StepOrder(Run, 3, 11));
        observer.Play(new MeanTaken(3, 11, 5, Facts(11)));
        observer.Order(new StepOrder(Run, 3, 12));
        observer.Play(new MeanMissed(3, 12, "the connection broke"));
        Assert.Equal("observe", observer.Told<FailedReport>().Phase);
        Assert.Equal(11, observer.Did<DropMeans>().Keep);

        observer.Order(Welcome());
        var report = observer.Told<PreparedReport>();
        Assert.Equal((10L, 11L, 5UL), (report.AppliedStep, report.PendingStep, report.PendingHash));
        observer.Order(Generation(4, 11, 5));
        Assert.Equal(11, Assert.IsType<ApplyHeld>(observer.Did<EnterGeneration>().Route).Steps.Single().Step);
    }

    [Fact]
    public void What_it_holds_is_void_once_a_base_is_announced_to_which_it_does_not_lead()
    {
        observer.EndWork(n => new BaseReached(n, "state"));
        observer.Order(new StepOrder(Run, 3, 11));
        observer.Play(new MeanTaken(3, 11, 5, Facts(11)));
        observer.Play(new MeanMissed(3, 11, "the connection broke"));
        observer.Order(Generation(4, 11, 6, votes: true, "w2"));
        Assert.IsType<Download>(observer.Did<EnterGeneration>().Route);
        Assert.Equal(0, observer.Did<DropMeans>().Keep);
        Assert.Empty(observer.State.Held);
    }

    [Fact]
    public void A_source_that_dies_makes_the_observer_start_over_without_failing_the_generation()
    {
        observer.EndWork(n => new WorkFailed(n, "no source could give the state", "w2"));
        Assert.Equal("observe", observer.Told<FailedReport>().Phase);
        Assert.False(observer.State.InPosition);
    }

    private void Step(long step, ulong hash)
    {
        observer.Order(new StepOrder(Run, 3, step));
        observer.Did<TakeMean>();
        observer.Play(new MeanTaken(3, step, hash, Facts(step)));
        observer.Order(new CommitOrder(Run, 3, step, hash, false));
    }
}
