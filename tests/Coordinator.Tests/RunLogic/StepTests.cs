using AdderNet.Coordinator.RunLogic;
using AdderNet.Core.Configuration;
using AdderNet.Core.Sharding;
using Xunit;

namespace AdderNet.Coordinator.Tests.RunLogic;

public class StepTests
{
    [Fact]
    public void The_first_generation_waits_for_the_expected_workers_and_lists_ranges_that_cover_all_shards()
    {
        var run = new RunScript(expected: 2).Join("a");
        Assert.IsType<Gathering>(run.State.Phase);
        Assert.Contains("1 of 2", run.Reason);

        run.Join("b");
        Assert.Equal(1, run.Single<ProposeGeneration>().Number);
        Assert.Empty(run.Sent<GenerationStartedOrder>());

        run.Grant();
        var announced = run.Sent<GenerationStartedOrder>();
        Assert.Equal(["a", "b"], announced.Select(s => s.Worker));
        Assert.Equal([new ShardRange(0, 4), new ShardRange(4, 8)], announced[0].Order.Plan.Members.Select(m => m.Range));

        run.InPosition("a");
        Assert.Empty(run.Sent<StartStepOrder>());
        run.InPosition("b");
        Assert.Equal([("a", 1L), ("b", 1L)], run.Sent<StartStepOrder>().Select(s => (s.Worker, s.Step)));
    }

    [Fact]
    public void The_first_generation_starts_with_fewer_workers_after_30_seconds()
    {
        var run = new RunScript(expected: 2).Join("a").AfterWithBeats(29_000);
        Assert.IsType<Gathering>(run.State.Phase);
        run.AfterWithBeats(1_200);
        Assert.Single(run.Single<ProposeGeneration>().Members);
    }

    [Fact]
    public void The_first_prepared_worker_fixes_the_facts_in_the_store_before_anything_else_happens()
    {
        var run = new RunScript().Join("a");
        Assert.Equal("id", Assert.IsType<RecordFacts>(run.Actions[0]).Facts.Identity);
        Assert.IsType<ProposeGeneration>(run.Actions[1]);
    }

    [Fact]
    public void Equal_votes_commit_the_step_write_its_line_and_start_the_next_one_in_the_same_decision()
    {
        var run = new RunScript().Started("a", "b").Vote("a");
        Assert.Empty(run.Actions);
        run.Vote("b");

        Assert.Equal(
            ["WriteStepLine", "Commit a", "Commit b", "StartStep a", "StartStep b"],
            run.Actions.Select(a => a is Send s ? $"{s.Order.GetType().Name[..^5]} {s.WorkerId}" : a.GetType().Name));
        Assert.Equal(1, run.Single<WriteStepLine>().Line.Step);
        Assert.Equal(RunScript.Hash, run.Sent<CommitOrder>()[0].Order.Hash);
        Assert.Equal(2, run.Sent<StartStepOrder>()[0].Step);
        Assert.Equal(4, run.State.Totals["a"].ShardsComputed);
    }

    [Fact]
    public void Votes_that_differ_are_applied_by_nobody_and_redo_the_step_once_and_then_fail_the_run_naming_every_hash()
    {
        var run = new RunScript().Started("a", "b").Vote("a").Vote("b", hash: 0xbad);
        Assert.Empty(run.Sent<CommitOrder>());
        Assert.Equal(2, run.Single<ProposeGeneration>().Number);
        run.Grant().InPosition("a", "b");
        Assert.Equal(1, run.Sent<StartStepOrder>()[0].Step);

        run.Vote("a").Vote("b", hash: 0xbad);
        Assert.Equal(RunCondition.Failed, run.Single<EndRun>().Condition);
        Assert.Contains("a 000000000000feed, b 0000000000000bad", run.Reason);
        Assert.Equal(2, run.Sent<RunEndedOrder>().Count);
        Assert.Empty(run.Sent<CommitOrder>());
    }

    [Fact]
    public void A_dispute_that_the_redone_step_settles_is_forgotten()
    {
        var run = new RunScript().Started("a", "b").Vote("a").Vote("b", hash: 0xbad).Grant().InPosition("a", "b").Train(1);
        run.Vote("a").Vote("b", hash: 0xbad);
        Assert.False(run.State.IsOver);
        Assert.Single(run.Actions.OfType<ProposeGeneration>());
    }

    [Fact]
    public void A_value_that_is_not_finite_stops_the_run_naming_layer_and_shard()
    {
        var run = new RunScript().Started("a").Vote("a", nonFinite: 1 + ((1L << 32) | 5));
        Assert.Empty(run.Sent<CommitOrder>());
        Assert.Equal(RunCondition.Failed, run.Single<EndRun>().Condition);
        Assert.Contains("layer bn1, shard 5", run.Reason);
    }

    [Fact]
    public void A_value_that_is_not_finite_is_committed_as_skipped_when_the_description_says_so()
    {
        var run = new RunScript(d => d with { Gradient = d.Gradient with { OnNonfinite = OnTrouble.Skip } })
            .Started("a").Vote("a", nonFinite: 1);
        Assert.True(Assert.Single(run.Sent<CommitOrder>()).Order.Skip);
        Assert.True(run.Single<WriteStepLine>().Line.Skipped);
        Assert.Equal(2, Assert.Single(run.Sent<StartStepOrder>()).Step);
    }

    [Fact]
    public void Messages_of_an_older_generation_or_another_step_are_dropped_and_noted()
    {
        var run = new RunScript().Started("a", "b").Train(1);
        var before = run.State;
        run.Feed(new MemberVoted("a", run.Session("a"), 0, 2, new Ballot(1, RunScript.Outcome(), 4, 0, 1, 0, 0)));
        Assert.Equal(NoteKind.StaleMessage, run.Single<Note>().Kind);
        run.Vote("a", step: 1);
        Assert.Equal(NoteKind.StaleMessage, run.Single<Note>().Kind);
        Assert.Same(((Stepping)before.Phase).Ballots, ((Stepping)run.State.Phase).Ballots);
    }

    [Fact]
    public void Training_time_counts_only_time_within_steps()
    {
        var run = new RunScript().Started("a");
        run.AfterWithBeats(100);
        run.Vote("a").Feed(new ControlAsked(ControlKind.Pause, "by hand"));
        run.AfterWithBeats(50);
        run.Vote("a").AfterWithBeats(10_000).Feed(new ControlAsked(ControlKind.Resume, ""));
        run.AfterWithBeats(25);
        run.Vote("a");
        Assert.Equal(175, run.State.TrainingTime.TotalMilliseconds);
    }

    [Fact]
    public void A_run_whose_data_do_not_fill_one_batch_fails_and_says_so()
    {
        var run = new RunScript().Connect("a").Prepare("a", train: 15);
        Assert.Contains("batch.global: 16", run.Reason);
        Assert.Equal(RunCondition.Failed, run.Single<EndRun>().Condition);
    }
}
