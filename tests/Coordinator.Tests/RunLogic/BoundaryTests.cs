using AdderNet.Coordinator.RunLogic;
using AdderNet.Core.Configuration;
using Xunit;

namespace AdderNet.Coordinator.Tests.RunLogic;

public class BoundaryTests
{
    private static RunDescription Full(RunDescription d) => d with
    {
        Schedule = d.Schedule with { Epochs = 1 },
        Evaluation = new EvaluationOptions { EveryEpochs = 1, KeepBest = true },
        Checkpoint = d.Checkpoint with { EverySteps = 4 },
    };

    [Fact]
    public void A_run_ends_with_checkpoint_evaluation_best_final_weights_and_then_the_news()
    {
        var run = new RunScript(Full).Started("a", "b").Train(4);
        Assert.Equal("checkpoints/step-00000004/state.safetensors", Assert.Single(run.Sent<WriteCheckpointOrder>()).Order.File);
        Assert.Equal(5, run.Sent<StartStepOrder>()[0].Step);
        run.WriteCheckpoint().Train(8).WriteCheckpoint().Train(10);

        Assert.Equal([("a", 0, 1), ("b", 1, 3)], run.Sent<EvaluateOrder>().Select(s => (s.Worker, s.Order.Blocks.First, s.Order.Blocks.End)));
        run.WriteCheckpoint().AnswerEvaluation("b").AnswerEvaluation("a");
        var evaluation = run.Single<WriteEvaluationLine>().Evaluation;
        Assert.Equal((10L, 25L, 9L / 25.0, 15 / 25.0, 4.5 / 25), (evaluation.Step, evaluation.Samples, evaluation.Top1, evaluation.Top5, evaluation.Loss));
        Assert.IsType<RecordEvaluation>(run.Actions[0]);

        Assert.Equal("checkpoints/best/state.safetensors", Assert.Single(run.Sent<WriteCheckpointOrder>()).Order.File);
        run.WriteCheckpoint();
        var final = Assert.Single(run.Sent<WriteCheckpointOrder>()).Order;
        Assert.Equal(("final.safetensors", true), (final.File, final.WeightsOnly));
        run.WriteCheckpoint();

        Assert.Equal(
            ["RecordCheckpoint", "RecordProgress", "EndRun", "Send", "Send"], run.Actions.Select(a => a.GetType().Name));
        Assert.All(run.Sent<RunEndedOrder>(), s => Assert.Equal(RunCondition.Completed, s.Order.Condition));
        Assert.Equal("weights 10", run.State.Newest(CheckpointKind.Final)!.WeightsHash);
    }

    [Fact]
    public void An_evaluation_is_redone_whole_by_those_who_are_left_when_a_member_is_lost()
    {
        var run = new RunScript(d => Full(d) with { Checkpoint = d.Checkpoint }).Started("a", "b").Train(10).WriteCheckpoint();
        run.AnswerEvaluation("a").Close("b").After(500).Grant().InPosition("a");
        Assert.Equal([("a", 0, 3)], run.Sent<EvaluateOrder>().Select(s => (s.Worker, s.Order.Blocks.First, s.Order.Blocks.End)));
        run.AnswerEvaluation("a");
        Assert.Equal(9, run.Single<RecordEvaluation>().Evaluation.Top1Hits);
    }

    [Fact]
    public void Training_goes_on_while_two_files_are_written_and_waits_at_the_boundary_of_a_third()
    {
        var run = new RunScript(d => d with { Checkpoint = d.Checkpoint with { EverySteps = 1 } }).Started("a").Train(3);
        Assert.IsType<Checkpointing>(run.State.Phase);
        Assert.Equal([1L, 2L], run.State.Writing.Select(w => w.Step));
        run.WriteCheckpoint();
        Assert.Equal("checkpoints/step-00000003/state.safetensors", Assert.Single(run.Sent<WriteCheckpointOrder>()).Order.File);
        Assert.Equal(4, Assert.Single(run.Sent<StartStepOrder>()).Step);
        Assert.Equal(0.01, run.State.FileCost.LongestStallSeconds);
    }

    [Fact]
    public void A_file_written_in_the_background_counts_after_a_generation_change_and_one_lost_with_its_writer_is_made_up_for()
    {
        var run = new RunScript(d => d with { Checkpoint = d.Checkpoint with { EverySteps = 2 } }).Started("a", "b").Train(2).Close("b").After(500).Grant().InPosition("a");
        run.WriteCheckpoint();
        Assert.Equal((2L, RunScript.Hash), (run.State.Newest(CheckpointKind.Periodic)!.Step, run.State.Newest(CheckpointKind.Periodic)!.VotedHash));

        var other = new RunScript(d => d with { Checkpoint = d.Checkpoint with { EverySteps = 2 } }).Started("a", "b").Train(2).Close("a").After(500).Grant().InPosition("b");
        Assert.Equal(("b", 2L), (Assert.Single(other.State.Writing).Writer, other.State.Writing[0].Step));
    }

    [Fact]
    public void A_checkpoint_that_the_coordinator_before_had_ordered_is_recorded_and_a_file_that_nobody_ordered_is_not()
    {
        var run = new RunScript().Started("a").Train(5);
        run.Feed(new CheckpointWritten("a", run.Session("a"), 4, "checkpoints/step-00000004/state.safetensors", "sha", 7, "w"));
        run.Single<VerifyCheckpoint>();
        run.Feed(new CheckpointWritten("a", run.Session("a"), 9, "checkpoints/step-00000009/state.safetensors", "sha", 7, "w"));
        Assert.Equal(NoteKind.StaleMessage, run.Single<Note>().Kind);
    }

    [Fact]
    public void Only_the_newest_checkpoints_are_kept()
    {
        var run = new RunScript(d => d with { Checkpoint = d.Checkpoint with { EverySteps = 1, Keep = 2 } }).Started("a");
        run.Train(1).WriteCheckpoint().Train(2).WriteCheckpoint();
        Assert.DoesNotContain(run.Actions, a => a is DeleteCheckpoint);
        run.Train(3).WriteCheckpoint();
        Assert.Equal(1, run.Single<DeleteCheckpoint>().Checkpoint.Step);
        Assert.True(run.Actions.IndexOf(run.Single<RecordCheckpoint>()) < run.Actions.IndexOf(run.Single<DeleteCheckpoint>()));
    }

    [Fact]
    public void A_periodic_checkpoint_that_fails_is_a_warning_and_training_goes_on()
    {
        var run = new RunScript(d => d with { Checkpoint = d.Checkpoint with { EverySteps = 1 } }).Started("a").Train(1).WriteCheckpoint().Train(2);
        Assert.Equal(3, Assert.Single(run.Sent<StartStepOrder>()).Step);
        run.FailToWrite();
        Assert.Contains("no space left", run.Single<Note>().Text);
        Assert.Equal(1, run.State.Newest(CheckpointKind.Periodic)!.Step);
        run.Train(3).WriteCheckpoint(problem: "the file is not there");
        Assert.Contains("the file is not there", run.Single<Note>().Text);
        Assert.Equal(4, run.Train(4).State.Committed.Step);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_last_checkpoint_or_final_file_that_fails_ends_the_run_failed(bool final)
    {
        var run = new RunScript(d => d with { Schedule = d.Schedule with { MaxSteps = 1 } }).Started("a").Train(1);
        if (final)
            run.WriteCheckpoint();
        run.FailToWrite();
        Assert.Equal(RunCondition.Failed, run.Single<EndRun>().Condition);
        Assert.Contains("no space left", run.Reason);
    }

    [Fact]
    public void A_stop_writes_a_checkpoint_at_the_next_boundary_and_leaves_the_run_resumable()
    {
        var run = new RunScript().Started("a").Train(3).Feed(new ControlAsked(ControlKind.Stop, "Ctrl-C"));
        Assert.Empty(run.Actions);
        run.Vote("a");
        Assert.Single(run.Sent<CommitOrder>());
        run.WriteCheckpoint();
        Assert.Equal(RunCondition.Stopped, run.Single<EndRun>().Condition);
        Assert.Equal("stopped at step 4: Ctrl-C", run.Reason);

        var memory = new RunMemory { Checkpoints = run.State.Checkpoints, Facts = run.State.Facts! with { Build = "" }, LastGeneration = 1 };
        var resumed = new RunScript(memory: memory).Connect("z");
        Assert.Equal("checkpoints/step-00000004/state.safetensors", Assert.Single(resumed.Sent<WelcomeOrder>()).Order.ResumeFrom);
        resumed.Prepare("z", new MemberReport(4, 0, null, "s", 0, 0)).Grant();
        Assert.Equal((2L, 4L, RunScript.Hash), (resumed.Generation, resumed.State.Generation!.BaseStep, resumed.State.Generation.BaseHash));
        Assert.Equal(4, resumed.Single<CutHistory>().Step);
        resumed.InPosition("z");
        Assert.Equal(5, Assert.Single(resumed.Sent<StartStepOrder>()).Step);
    }

    [Fact]
    public void A_stop_with_no_worker_left_ends_at_once()
    {
        var run = new RunScript().Started("a").Train(2);
        run.Feed(new MemberLeft("a", run.Session("a"), "SIGTERM")).Feed(new ControlAsked(ControlKind.Stop, "Ctrl-C"));
        Assert.Equal(RunCondition.Stopped, run.Single<EndRun>().Condition);
    }

    [Fact]
    public void A_stop_needs_only_one_worker_even_where_more_are_needed_to_train()
    {
        var run = new RunScript(d => d with { Elastic = d.Elastic with { MinWorkers = 2 } }).Started("a", "b").Train(2);
        run.Feed(new MemberLeft("b", run.Session("b"), "")).Feed(new ControlAsked(ControlKind.Stop, "Ctrl-C")).Grant().InPosition("a").WriteCheckpoint();
        Assert.Equal(RunCondition.Stopped, run.Single<EndRun>().Condition);
        Assert.Equal(2, run.State.Newest(CheckpointKind.Periodic)!.Step);
    }

    [Fact]
    public void A_pause_holds_at_a_boundary_until_resumed()
    {
        var run = new RunScript().Started("a").Feed(new ControlAsked(ControlKind.Pause, "by hand")).Vote("a");
        Assert.Empty(run.Sent<StartStepOrder>());
        Assert.Equal(RunCondition.Paused, run.Single<RecordProgress>().Condition);
        run.Feed(new ControlAsked(ControlKind.Resume, ""));
        Assert.Equal(2, Assert.Single(run.Sent<StartStepOrder>()).Step);
    }

    [Fact]
    public void A_cancelled_run_ends_at_once_and_tells_latecomers()
    {
        var run = new RunScript().Started("a").Feed(new ControlAsked(ControlKind.Cancel, ""));
        Assert.Equal(RunCondition.Cancelled, Assert.Single(run.Sent<RunEndedOrder>()).Order.Condition);
        run.Connect("b");
        Assert.Equal(RunCondition.Cancelled, Assert.Single(run.Sent<RunEndedOrder>()).Order.Condition);
    }

    [Fact]
    public void A_coordinator_that_lost_its_store_tells_nobody_anything()
    {
        var run = new RunScript().Started("a").Feed(new StoreLost("another coordinator holds it"));
        Assert.True(run.State.IsOver);
        Assert.All(run.Actions, a => Assert.IsType<Note>(a));
    }
}
