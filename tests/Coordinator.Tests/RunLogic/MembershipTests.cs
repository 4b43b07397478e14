using AdderNet.Coordinator.RunLogic;
using Xunit;

namespace AdderNet.Coordinator.Tests.RunLogic;

public class MembershipTests
{
    [Fact]
    public void A_worker_whose_stream_closes_mid_step_is_given_up_after_half_a_second_and_the_step_is_redone_without_it()
    {
        var run = new RunScript().Started("a", "b").Train(3).Vote("a").Close("b");
        Assert.Empty(run.Actions);
        run.After(499);
        Assert.Empty(run.Actions);
        run.After(1);
        Assert.Contains("b is gone: its session stream closed", run.Single<ProposeGeneration>().Why);

        run.Grant();
        var plan = Assert.Single(run.Sent<GenerationStartedOrder>()).Order.Plan;
        Assert.Equal((3L, RunScript.Hash), (plan.BaseStep, plan.BaseHash));
        Assert.Equal("a", Assert.Single(plan.Sources));
        run.InPosition("a");
        Assert.Equal(4, Assert.Single(run.Sent<StartStepOrder>()).Step);
    }

    [Fact]
    public void A_member_that_reopens_its_stream_in_time_stays_and_a_new_generation_follows_its_report()
    {
        var run = new RunScript().Started("a", "b").Train(1).Close("b").After(300).Connect("b");
        Assert.Single(run.Sent<WelcomeOrder>());
        run.Prepare("b", new MemberReport(1, RunScript.Hash, RunScript.Outcome(), "s", 0, 0));
        Assert.Equal(2, run.Single<ProposeGeneration>().Members.Length);
        Assert.DoesNotContain(run.Actions, a => a is Note { Kind: NoteKind.Evicted });
    }

    [Fact]
    public void Messages_over_a_session_that_was_replaced_count_for_nothing()
    {
        var run = new RunScript().Started("a");
        var old = run.Session("a");
        run.Connect("a").Feed(new StreamClosed("a", old)).After(600);
        Assert.True(run.State.Members.ContainsKey("a"));
    }

    [Fact]
    public void A_silent_worker_is_lost_at_the_lease_and_a_busy_one_is_not()
    {
        var run = new RunScript().Started("a", "b").AfterWithBeats(2_400, silent: "b");
        Assert.Equal(2, run.State.Members.Count);
        run.AfterWithBeats(200, silent: "b");
        Assert.Contains(run.Actions, a => a is Note { Kind: NoteKind.Evicted } n && n.Text.Contains("nothing was heard", StringComparison.Ordinal));
        Assert.Equal(["a"], run.State.Members.Keys);
    }

    [Fact]
    public void A_run_that_waits_says_who_went_last_and_why_and_that_it_was_paused()
    {
        var run = new RunScript().Connect("a");
        run.Feed(new MemberLeft("a", run.Session("a"), "data.path: nowhere is no directory"));
        run.After(100);
        Assert.Equal(
            "waiting for workers: 0 of at least 1 are there (elastic.min_workers); the last to go: a left: data.path: nowhere is no directory", run.Reason);

        run.Feed(new ControlAsked(ControlKind.Pause, "asked for"));
        Assert.Contains("; paused", run.Reason, StringComparison.Ordinal);
        run.Feed(new ControlAsked(ControlKind.Resume, "asked for"));
        Assert.DoesNotContain("; paused", run.Reason, StringComparison.Ordinal);

        run.Started("b");
        Assert.Empty(run.State.LastGone);
    }

    [Fact]
    public void A_silent_worker_is_told_that_it_was_given_up_so_that_it_joins_anew_when_it_wakes()
    {
        var run = new RunScript().Started("a", "b").AfterWithBeats(2_600, silent: "b");
        var refused = Assert.Single(run.Sent<RefusedOrder>());
        Assert.Equal(("b", false), (refused.Worker, refused.Order.Final));
        run.Grant().InPosition("a").Train(2).Connect("b").Prepare("b").Vote("a");
        Assert.Equal("b joins", run.Single<ProposeGeneration>().Why);
    }

    [Fact]
    public void A_member_that_comes_back_but_never_reports_does_not_hold_up_the_others()
    {
        var run = new RunScript(d => d with { Elastic = d.Elastic with { MinWorkers = 2 } }).Started("a", "b").Close("b").After(100).Connect("b");
        run.AfterWithBeats(2_000).Join("c").Close("a").Connect("a").Prepare("a");
        Assert.Contains("waiting for b to report", run.Reason);
        run.AfterWithBeats(600);
        Assert.Equal(["a", "c"], run.Single<ProposeGeneration>().Members.Select(m => m.WorkerId));
    }

    [Fact]
    public void A_worker_that_beats_but_makes_no_progress_is_given_up_and_the_one_that_waits_for_it_is_not()
    {
        var run = new RunScript().Started("a", "b").Train(1);
        for (var i = 0; i < 7; i++)
        {
            run.Feed(new MemberBeat("a", run.Session("a"), 1, true));
            run.Feed(new MemberBeat("b", run.Session("b"), 1, false));
            run.After(400);
        }

        Assert.Equal(["a"], run.State.Members.Keys);
    }

    [Fact]
    public void Before_its_first_measured_shard_a_worker_may_compute_for_ten_minutes()
    {
        var run = new RunScript().Started("a");
        void Stand(double milliseconds)
        {
            for (var t = 0.0; t < milliseconds; t += 500)
                run.Feed(new MemberBeat("a", run.Session("a"), 1, false)).After(500);
        }

        Stand(598_000);
        Assert.Single(run.State.Members);
        Stand(2_000);
        Assert.Empty(run.State.Members);
    }

    [Fact]
    public void Members_beyond_the_number_of_shards_are_hot_spares_that_vote_and_take_over()
    {
        var run = new RunScript(d => d with { Batch = d.Batch with { Shards = 2 } }, expected: 3).Started("a", "b", "c");
        Assert.Equal([1, 1, 0], run.State.Generation!.Members.Select(m => m.Range.Count));
        Assert.True(run.State.Generation.Find("c")!.Votes);
        run.Vote("a").Vote("b");
        Assert.Empty(run.Sent<CommitOrder>());
        run.Vote("c");
        Assert.Equal(3, run.Sent<CommitOrder>().Count);

        run.Close("a").After(500).Grant();
        Assert.Equal(["b", "c"], run.State.Generation!.Members.Where(m => m.Range.Count == 1).Select(m => m.WorkerId));
    }

    [Theory]
    [InlineData("build", "build 1", "build 2")]
    [InlineData("numerics version", "1", "2")]
    [InlineData("engine", "managed", "cuda")]
    [InlineData("probe hash", "probe", "other")]
    public void A_worker_of_another_kind_is_refused_for_good_naming_both_values(string what, string run, string worker)
    {
        var info = RunScript.Info("b");
        info = what switch
        {
            "build" => info with { Build = worker },
            "numerics version" => info with { NumericsVersion = 2 },
            "engine" => info with { Engine = worker },
            _ => info with { ProbeHash = worker },
        };
        var script = new RunScript().Started("a").Connect("b", info);
        var refused = Assert.Single(script.Sent<RefusedOrder>()).Order;
        Assert.True(refused.Final);
        Assert.Equal($"{what}: the run has {run}, this worker has {worker}", refused.Why);
        Assert.DoesNotContain("b", script.State.Members.Keys);
    }

    [Theory]
    [InlineData("other", "data", "run identity: the run has id, this worker has other")]
    [InlineData("id", "other", "data manifest hash: the run has data, this worker has other")]
    public void A_worker_with_other_data_or_identity_is_refused_for_good(string identity, string manifest, string why)
    {
        var run = new RunScript().Started("a").Connect("b").Prepare("b", identity: identity, manifest: manifest);
        Assert.Equal((why, true), (run.Sent<RefusedOrder>()[0].Order.Why, run.Sent<RefusedOrder>()[0].Order.Final));
        Assert.Equal(["a"], run.State.Members.Keys);
        Assert.IsType<Stepping>(run.State.Phase);
    }

    [Fact]
    public void A_worker_that_decodes_pictures_otherwise_is_refused_for_good_naming_both_values()
    {
        var run = new RunScript().Connect("a").Prepare("a", pictures: "these").Connect("b").Prepare("b", pictures: "those");
        var refused = Assert.Single(run.Sent<RefusedOrder>()).Order;
        Assert.Equal(("picture probe hash: the run has these, this worker has those", true), (refused.Why, refused.Final));
        Assert.Equal(["a"], run.State.Members.Keys);
    }

    [Fact]
    public void A_worker_that_does_not_reach_the_runs_directory_is_refused_for_good_in_one_line_that_names_it()
    {
        var run = new RunScript(reachToken: "a random word").Connect("a").Prepare("a");
        var refused = Assert.Single(run.Sent<RefusedOrder>()).Order;
        Assert.True(refused.Final);
        Assert.StartsWith("checkpoint.path: /out on the coordinator's machine is not what this worker on host sees there", refused.Why, StringComparison.Ordinal);
        Assert.Contains("--checkpoints /mnt/shared/run", refused.Why, StringComparison.Ordinal);
        Assert.Empty(run.State.Members);
    }

    [Fact]
    public void Two_workers_that_prepare_at_once_are_compared_when_the_second_one_does()
    {
        var run = new RunScript(expected: 2).Connect("a").Connect("b", RunScript.Info("b") with { ProbeHash = "other" }).Prepare("a").Prepare("b");
        Assert.Contains("probe hash", Assert.Single(run.Sent<RefusedOrder>()).Order.Why);
    }

    [Fact]
    public void A_worker_above_max_workers_is_sent_away_for_now()
    {
        var run = new RunScript(d => d with { Elastic = d.Elastic with { MaxWorkers = 1 } }).Started("a").Connect("b");
        Assert.False(Assert.Single(run.Sent<RefusedOrder>()).Order.Final);
    }

    [Fact]
    public void With_fewer_than_min_workers_the_run_waits_and_goes_on_when_enough_are_back()
    {
        var run = new RunScript(d => d with { Elastic = d.Elastic with { MinWorkers = 2 } }).Started("a", "b").Train(2);
        run.Feed(new MemberLeft("b", run.Session("b"), "SIGTERM"));
        Assert.Contains("1 of at least 2", run.Reason);
        run.Join("c").Grant();
        Assert.Equal(2, run.State.Generation!.BaseStep);
        Assert.Equal(["a", "c"], run.State.Generation.Members.Select(m => m.WorkerId));
    }

    [Fact]
    public void A_failed_phase_is_tried_again_by_the_same_members_and_six_in_a_row_end_the_run()
    {
        var run = new RunScript().Started("a", "b");
        for (var i = 0; i < 5; i++)
        {
            run.Feed(new PhaseFailed("a", run.Session("a"), run.Generation, 1, "exchange", "broken pipe", ""));
            Assert.Contains("broken pipe", run.Reason);
            run.AfterWithBeats(1_700);
            run.Grant().InPosition("a", "b");
        }

        run.Feed(new PhaseFailed("a", run.Session("a"), run.Generation, 1, "exchange", "broken pipe", ""));
        Assert.Equal(RunCondition.Failed, run.Single<EndRun>().Condition);
    }

    [Fact]
    public void One_whose_place_an_older_session_of_its_own_took_is_told_to_say_hello_again_once_that_is_gone()
    {
        var run = new RunScript().Started("a", "b").Train(2);
        var alive = run.Session("b");
        run.Connect("b").Close("b").Feed(new MemberBeat("b", alive, 9, false));
        Assert.Empty(run.Sent<RefusedOrder>()); // it may be back in a moment
        run.AfterWithBeats(600, silent: "b").Feed(new MemberBeat("b", alive, 10, false));
        Assert.Equal(["a"], run.State.Members.Keys);
        var told = Assert.Single(run.Actions.OfType<Send>());
        Assert.Equal(("b", alive, false), (told.WorkerId, told.Session, Assert.IsType<RefusedOrder>(told.Order).Final));
        run.Feed(new StreamClosed("b", alive));
        Assert.Empty(run.Actions.OfType<Send>());
    }

    [Fact]
    public void A_run_waits_ten_minutes_for_links_that_go_on_breaking()
    {
        // Each time another peer is named, so that nobody is left out for it.
        var run = new RunScript().Started("a", "b");
        var (began, failures) = (run.Now, 0);
        while (run.Now - began <= Retrying.PatienceWithLinks)
        {
            run.Feed(new PhaseFailed("a", run.Session("a"), run.Generation, 1, "step", "the connection broke", $"peer {++failures}"));
            Assert.False(run.State.IsOver, $"after {run.Now - began}: {run.Reason}");
            run.AfterWithBeats(5_200).Grant().InPosition("a", "b");
        }

        Assert.InRange(failures, 100, 130);
        run.Feed(new PhaseFailed("a", run.Session("a"), run.Generation, 1, "step", "the connection broke", "peer"));
        Assert.Equal(RunCondition.Failed, run.Single<EndRun>().Condition);
        Assert.Contains("the connection broke", run.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_report_that_says_less_than_is_known_was_repeated_on_its_way()
    {
        var run = new RunScript().Started("a", "b").Train(3);
        run.Prepare("a", new MemberReport(1, RunScript.Hash, null, "", 2, RunScript.Hash));
        Assert.Equal(3, run.Single<ProposeGeneration>().BaseStep);
        Assert.Equal(["a", "b"], run.Grant().State.Generation!.Sources.AsEnumerable());
    }

    [Fact]
    public void Broken_links_do_not_use_up_the_attempts_that_other_failures_have()
    {
        var run = new RunScript().Started("a", "b");
        for (var i = 0; i < 12; i++)
        {
            run.Feed(new PhaseFailed("a", run.Session("a"), run.Generation, 1, "step", "the connection broke", $"peer {i}")).AfterWithBeats(5_200).Grant().InPosition("a", "b");
            Assert.False(run.State.IsOver, run.Reason);
        }

        run.Feed(new PhaseFailed("a", run.Session("a"), run.Generation, 1, "exchange", "broken pipe", ""));
        Assert.False(run.State.IsOver, run.Reason);
    }

    [Fact]
    public void A_commit_forgets_earlier_failures()
    {
        var run = new RunScript().Started("a", "b");
        for (var i = 0; i < 12; i++)
        {
            run.Feed(new PhaseFailed("a", run.Session("a"), run.Generation, 1, "exchange", "broken pipe", ""));
            run.AfterWithBeats(200).Grant().InPosition("a", "b").Train(i + 1);
        }

        Assert.Equal(12, run.State.Committed.Step);
    }

    [Fact]
    public void A_generation_granted_after_one_of_its_members_died_is_never_announced()
    {
        var run = new RunScript(expected: 2).Join("a", "b").Close("b").After(500).Grant();
        Assert.Empty(run.Sent<GenerationStartedOrder>());
        Assert.Contains("1 of 2 are there", run.Reason);
        run.AfterWithBeats(30_000);
        Assert.Equal(2, run.Single<ProposeGeneration>().Number);
        run.Grant();
        Assert.Equal(["a"], run.State.Generation!.Members.Select(m => m.WorkerId));
    }
}
