using AdderNet.Coordinator.RunLogic;
using Xunit;

namespace AdderNet.Coordinator.Tests.RunLogic;

public class ObserverTests
{
    /// <summary>a trains; b has joined at step 3 and observes.</summary>
    private readonly RunScript run = new RunScript().Started("a").Train(2).Join("b");

    public ObserverTests()
    {
        run.Vote("a");
        Assert.Equal("b joins", run.Single<ProposeGeneration>().Why);
        run.Grant();
    }

    [Fact]
    public void A_joiner_observes_with_an_empty_range_and_nobody_waits_for_it()
    {
        var plan = run.Sent<GenerationStartedOrder>().Single(s => s.Worker == "b").Order.Plan;
        Assert.Equal((3L, "a"), (plan.BaseStep, Assert.Single(plan.Sources)));
        Assert.Equal((0, false), (plan.Find("b")!.Range.Count, plan.Find("b")!.Votes));
        Assert.Equal(8, plan.Find("a")!.Range.Count);
        run.InPosition("a");
        Assert.Equal(["a", "b"], run.Sent<StartStepOrder>().Select(s => s.Worker));
        run.Vote("a");
        Assert.Equal(["a", "b"], run.Sent<CommitOrder>().Select(s => s.Worker));
    }

    [Fact]
    public void It_gets_a_vote_and_a_range_at_the_boundary_whose_step_it_holds()
    {
        run.InPosition("a").Train(5);
        run.Follow("b", 5).Vote("a");
        Assert.IsType<Stepping>(run.State.Phase);
        run.Follow("b", 7).Vote("a");
        Assert.Equal("b has caught up", run.Single<ProposeGeneration>().Why);
        run.Grant();
        Assert.Equal((7L, true, 4), (run.State.Generation!.BaseStep, run.State.Generation.Find("b")!.Votes, run.State.Generation.Find("b")!.Range.Count));
    }

    [Fact]
    public void It_keeps_its_vote_when_that_generation_ends_before_it_has_said_that_it_stands_there()
    {
        run.InPosition("a").Follow("b", 4).Vote("a").Grant();
        Assert.True(run.State.Generation!.Find("b")!.Votes);
        run.Feed(new PhaseFailed("a", run.Session("a"), run.Generation, 4, "position", "no room", "")).AfterWithBeats(200).Grant();
        Assert.Equal(4, run.Generation);
        Assert.True(run.State.Generation!.Find("b")!.Votes);
    }

    [Fact]
    public void One_that_says_where_it_stands_after_its_generation_ended_is_believed()
    {
        run.InPosition("a").Train(4).Feed(new PhaseFailed("b", run.Session("b"), run.Generation, 3, "observe", "the connection broke", ""));
        run.Feed(new PhaseFailed("a", run.Session("a"), run.Generation, 5, "step", "no room", "")).AfterWithBeats(200).Grant();
        Assert.False(run.State.Generation!.Find("b")!.Votes);
        var generation = run.Generation;
        run.Feed(new PhaseFailed("a", run.Session("a"), generation, 4, "position", "no room", ""));
        run.Feed(new MemberInPosition("b", run.Session("b"), generation, 4, "state 4")).AfterWithBeats(400).Grant();
        Assert.True(run.State.Generation!.Find("b")!.Votes);
    }

    [Fact]
    public void A_step_held_with_another_hash_gives_no_vote()
    {
        run.InPosition("a").Follow("b", 4, hash: 1).Vote("a");
        Assert.IsType<Stepping>(run.State.Phase);
    }

    [Fact]
    public void One_that_cannot_keep_up_starts_over_at_a_later_boundary_and_the_others_train_on()
    {
        run.InPosition("a").Feed(new PhaseFailed("b", run.Session("b"), run.Generation, 3, "observe", "the queue is full", ""));
        Assert.IsType<Stepping>(run.State.Phase);
        Assert.Equal(0, run.State.FailuresInARow);
        run.Vote("a");
        Assert.Equal("b starts over", run.Single<ProposeGeneration>().Why);
        run.Grant().InPosition("a").Feed(new PhaseFailed("b", run.Session("b"), run.Generation, 4, "observe", "the queue is full", "")).Vote("a");
        Assert.Single(run.Sent<CommitOrder>(), s => s.Worker == "a");
        Assert.IsType<Stepping>(run.State.Phase);
    }

    [Fact]
    public void One_that_dies_ends_no_generation()
    {
        run.InPosition("a").Close("b").After(500);
        Assert.IsType<Stepping>(run.State.Phase);
        Assert.Equal(["a"], run.State.Members.Keys);
    }

    [Fact]
    public void One_that_holds_the_committed_step_saves_it_when_all_others_are_lost()
    {
        run.InPosition("a").Follow("b", 4).Vote("a").Close("a").After(500).Grant().Grant();
        Assert.Equal((4L, "b"), (run.State.Generation!.BaseStep, Assert.Single(run.State.Generation.Members).WorkerId));
    }

    [Fact]
    public void A_report_that_comes_again_does_not_undo_what_the_observer_has_followed_since()
    {
        run.InPosition("a").Train(4).Follow("b", 5).Vote("a").Close("a").After(100);
        run.Prepare("b", MemberReport.Fresh).After(500).Grant().Grant();
        Assert.Equal((5L, "b"), (run.State.Generation!.BaseStep, Assert.Single(run.State.Generation.Members).WorkerId));
    }

    [Fact]
    public void An_observer_that_reopened_its_session_may_be_further_than_it_said_then()
    {
        run.InPosition("a").Train(4);
        run.Close("b").Connect("b").Prepare("b", new MemberReport(4, RunScript.Hash, null, "", 0, 0)).Vote("a");
        Assert.Equal((5L, "b starts over"), (run.State.Committed.Step, run.Single<ProposeGeneration>().Why));

        run.Feed(new MemberLeft("a", run.Session("a"), "gone")).Grant();
        Assert.Equal("b", Assert.Single(run.Sent<WelcomeOrder>()).Worker);
        run.Prepare("b", new MemberReport(5, RunScript.Hash, null, "", 0, 0)).Grant();
        Assert.Equal(5, run.State.Generation!.BaseStep);
    }

    [Fact]
    public void Before_the_run_goes_back_behind_its_committed_step_an_observer_is_asked_how_far_it_is()
    {
        run.InPosition("a").Train(6).Follow("b", 5).Feed(new MemberLeft("a", run.Session("a"), "gone"));
        Assert.Equal("b", Assert.Single(run.Sent<WelcomeOrder>()).Worker);
        Assert.Empty(run.Actions.OfType<ProposeGeneration>());
        run.Prepare("b", new MemberReport(6, RunScript.Hash, RunScript.Outcome(), "", 0, 0));
        Assert.Equal(6, run.Single<ProposeGeneration>().BaseStep);
    }

    [Fact]
    public void One_that_started_over_is_asked_too_before_the_run_goes_back()
    {
        run.InPosition("a").Train(6).Follow("b", 5);
        run.Feed(new PhaseFailed("b", run.Session("b"), run.State.Generation!.Number, 5, "observe", "the connection broke", "")).Feed(new MemberLeft("a", run.Session("a"), "gone"));
        Assert.Equal("b", Assert.Single(run.Sent<WelcomeOrder>()).Worker);
        run.Prepare("b", new MemberReport(6, RunScript.Hash, RunScript.Outcome(), "", 0, 0));
        Assert.Equal(6, run.Single<ProposeGeneration>().BaseStep);
    }

    [Fact]
    public void A_vote_of_an_observer_counts_for_nothing()
    {
        run.InPosition("a").Vote("b", hash: 1);
        Assert.Equal(NoteKind.StaleMessage, run.Single<Note>().Kind);
        run.Vote("a");
        Assert.NotEmpty(run.Sent<CommitOrder>());
    }

    [Fact]
    public void A_paused_run_gives_it_a_vote_as_soon_as_it_stands_at_the_boundary()
    {
        run.InPosition("a").Feed(new ControlAsked(ControlKind.Pause, "")).Vote("a").Follow("b", 4);
        Assert.Equal("b has caught up", run.Single<ProposeGeneration>().Why);
    }

    [Fact]
    public void Where_too_few_are_left_to_train_a_joiner_is_waited_for()
    {
        var few = new RunScript(d => d with { Elastic = d.Elastic with { MinWorkers = 2 } }).Started("a", "b").Train(2).Close("b").After(500).Join("c").Grant();
        Assert.True(few.State.Generation!.Find("c")!.Votes);
    }
}
