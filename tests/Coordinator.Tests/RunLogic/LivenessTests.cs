using AdderNet.Coordinator.RunLogic;
using AdderNet.Core.Configuration;
using Xunit;

namespace AdderNet.Coordinator.Tests.RunLogic;

public class LivenessTests
{
    private static RunDescription Long(RunDescription d) => d with { Schedule = d.Schedule with { Epochs = 1000 } };

    [Fact]
    public void A_coordinator_that_stood_still_gives_nobody_up_for_its_own_silence()
    {
        var run = new RunScript().Started("a", "b").Train(1).After(50).After(60_000);
        Assert.Equal(2, run.State.Members.Count);
        Assert.Contains("stood still for 60", run.Single<Note>().Text, StringComparison.Ordinal);
        run.AfterWithBeats(2_600, silent: "b");
        Assert.Equal(["a"], run.State.Members.Keys);
    }

    [Fact]
    public void One_that_alone_holds_the_newest_step_is_waited_for_as_long_as_its_lease_lives()
    {
        var alone = new RunScript().Started("a").Train(3).Close("a").AfterWithBeats(2_000, silent: "a");
        Assert.Equal(["a"], alone.State.Members.Keys);
        alone.AfterWithBeats(800, silent: "a");
        Assert.Empty(alone.State.Members);

        var oneOfTwo = new RunScript().Started("a", "b").Train(3).Close("a").AfterWithBeats(600, silent: "a");
        Assert.Equal(["b"], oneOfTwo.State.Members.Keys);

        var saved = new RunScript(d => d with { Checkpoint = d.Checkpoint with { EverySteps = 3 } })
            .Started("a").Train(3).WriteCheckpoint().Close("a").AfterWithBeats(600, silent: "a");
        Assert.Empty(saved.State.Members);
    }

    [Fact]
    public void A_member_that_others_cannot_reach_twice_is_given_up_and_the_run_goes_on()
    {
        var run = new RunScript().Started("a", "b", "c");
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(3, run.State.Members.Count);
            run.Feed(new PhaseFailed("a", run.Session("a"), run.Generation, 1, "step", "no answer", "b")).AfterWithBeats(200);
            if (i == 0)
                run.Grant().InPosition("a", "b", "c");
        }

        Assert.Equal(["a", "c"], run.State.Members.Keys);
        run.Grant().InPosition("a", "c").Train(1);
    }

    [Fact]
    public void One_that_alone_holds_the_newest_step_and_gives_it_to_nobody_is_given_up_before_the_run_would_fail()
    {
        var run = new RunScript(d => d with { Elastic = d.Elastic with { MinWorkers = 2 } }, 2, new RunMemory { LastGeneration = 3 }).Connect("a").Prepare("a", new MemberReport(7, RunScript.Hash, null, "", 0, 0)).Join("b");
        run.Feed(new GenerationGranted(4)).InPosition("a");
        var failures = 0;
        for (; run.State.Members.ContainsKey("a") && failures < 20; failures++)
        {
            Assert.False(run.State.IsOver, run.Reason);
            run.Feed(new PhaseFailed("b", run.Session("b"), run.Generation, 7, "step", "no source could give the state", "a")).AfterWithBeats(5_200);
            if (run.State.Phase is Proposing)
                run.Grant();
        }

        Assert.Equal(Retrying.FailuresAllowed + 1, failures);
        Assert.Equal(["b"], run.State.Members.Keys);
    }

    [Fact]
    public void When_both_ends_of_a_link_hear_nothing_the_younger_is_left_out_at_once_and_the_run_goes_on()
    {
        var run = new RunScript().Started("a", "b", "c");

        Beat(run, "c", "b");
        Assert.IsType<Stepping>(run.State.Phase);
        Beat(run, "b", "c");

        Assert.Equal(["a", "b"], run.State.Members.Keys);
        Assert.Contains("nothing has passed between it and b", run.State.LastGone, StringComparison.Ordinal);
        run.Grant().InPosition("a", "b").Train(1);
    }

    [Fact]
    public void A_member_that_reaches_none_of_the_others_is_left_out_whoever_is_younger()
    {
        var run = new RunScript().Started("a", "b", "c");
        run.Feed(new MemberBeat("a", run.Session("a"), 1, true) { Silent = ["b", "c"] });
        run.Feed(new MemberBeat("c", run.Session("c"), 1, true) { Silent = ["a"] });

        Assert.Equal(["a", "b"], run.State.Members.Keys); // what is known so far: a link between two
        run.Grant().InPosition("a", "b");
        Beat(run, "a", "b");
        Beat(run, "b", "a");
        Assert.Equal(["a"], run.State.Members.Keys);

        run = new RunScript().Started("a", "b", "c");
        Beat(run, "b", "a");
        Beat(run, "c", "a");
        run.Feed(new MemberBeat("a", run.Session("a"), 1, true) { Silent = ["b", "c"] });
        Assert.Equal(["b", "c"], run.State.Members.Keys);
    }

    [Fact]
    public void One_ends_word_that_a_link_is_silent_gives_nobody_up_nor_does_that_of_an_earlier_generation()
    {
        var run = new RunScript().Started("a", "b", "c");
        for (var i = 0; i < 10; i++)
            Beat(run, "a", "b");
        Assert.Equal((3, 1L), (run.State.Members.Count, run.Generation));

        run.Feed(new PhaseFailed("c", run.Session("c"), run.Generation, 1, "step", "the connection broke", "a")).AfterWithBeats(200).Grant();
        Beat(run, "b", "a");
        Assert.Equal(3, run.State.Members.Count);
    }

    [Fact]
    public void Shards_move_when_a_member_is_clearly_and_lastingly_slow_and_not_before()
    {
        var run = new RunScript(Long).Started("a", "b");
        for (var step = 1L; step <= 400; step++)
        {
            run.After(150).Vote("a", compute: 0.02).Vote("b", compute: 0.06);
            if (run.State.Phase is Proposing)
                break;
        }

        Assert.StartsWith("shards move by measured speed", run.Single<ProposeGeneration>().Why, StringComparison.Ordinal);
        Assert.InRange(run.State.Committed.Step, Rebalancing.LastingCommits, 100);
        run.Grant();
        Assert.Equal([6, 2], run.State.Generation!.Members.Select(m => m.Range.Count));

        run.InPosition("a", "b");
        for (var step = 1; step <= 200; step++)
            run.Vote("a", compute: 0.015 * 4).Vote("b", compute: 0.015 * 4);
        Assert.Equal(2, run.Generation);
        Assert.IsType<Stepping>(run.State.Phase);
    }

    [Fact]
    public void Speeds_that_change_all_the_time_are_followed_ever_more_rarely()
    {
        var run = new RunScript(Long).Started("a", "b");
        var moves = new List<TimeSpan>();
        for (var step = 1; step <= 6000; step++)
        {
            var slow = step / 300 % 2 == 0; // for a minute each
            run.After(200).Vote("a", compute: slow ? 0.2 : 0.02).Vote("b", compute: slow ? 0.02 : 0.2);
            if (run.State.Phase is not Proposing)
                continue;
            moves.Add(run.Now);
            run.Grant().InPosition("a", "b");
        }

        Assert.InRange(moves.Count, 3, 6); // in twenty minutes
        var pauses = moves.Zip(moves.Skip(1), (a, b) => b - a).ToList();
        Assert.True(pauses[^1] >= 4 * pauses[0], string.Join(", ", pauses));
    }

    [Fact]
    public void A_spell_of_slowness_moves_nothing()
    {
        var run = new RunScript(Long).Started("a", "b");
        for (var step = 1; step <= 300; step++)
            run.Vote("a", compute: 0.02).Vote("b", compute: step % 40 == 0 ? 0.2 : 0.021);
        Assert.Equal(1, run.Generation);
        Assert.IsType<Stepping>(run.State.Phase);
    }

    [Fact]
    public void Without_elastic_rebalance_nothing_moves()
    {
        var run = new RunScript(d => Long(d) with { Elastic = d.Elastic with { Rebalance = false } }).Started("a", "b");
        for (var step = 1; step <= 200; step++)
            run.Vote("a", compute: 0.02).Vote("b", compute: 0.2);
        Assert.Equal(1, run.Generation);
        Assert.IsType<Stepping>(run.State.Phase);
    }

    [Fact]
    public void A_restarted_coordinator_knows_what_members_contributed()
    {
        var run = new RunScript().Connect("a");
        run.Feed(new MemberPrepared("a", run.Session("a"), "id", "data", new MemberReport(7, 1, RunScript.Outcome(), "", 0, 0), 160, 25, ["conv1"])
        {
            Totals = new WorkerTotals(7, 56, 700),
        });
        Assert.Equal(new WorkerTotals(7, 56, 700), run.State.Totals["a"]);
    }

    private static void Beat(RunScript run, string worker, string silent) =>
        run.Feed(new MemberBeat(worker, run.Session(worker), 1, true) { Silent = [silent] });
}
