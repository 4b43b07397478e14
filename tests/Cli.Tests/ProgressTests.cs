using AdderNet.Cli.Training;
using AdderNet.Protos.V1;
using Xunit;

namespace AdderNet.Cli.Tests;

public sealed class ProgressTests
{
    [Theory]
    [InlineData(0, "-")]
    [InlineData(-1, "-")]
    [InlineData(double.NaN, "-")]
    [InlineData(double.PositiveInfinity, "-")]
    [InlineData(59.2, "1:00")]
    [InlineData(61, "1:01")]
    [InlineData(3_661, "1:01:01")]
    [InlineData(360_000, "100:00:00")]
    public void Time_is_shown_as_clocks_do(double seconds, string shown) => Assert.Equal(shown, ProgressText.Duration(seconds));

    [Fact]
    public void A_line_tells_step_epoch_loss_accuracy_speed_workers_generation_and_time_left()
    {
        Assert.Equal(
            "step 470/1872  epoch 2/8  loss 0.0812  top-1 98.41 %  5210 samples/s  workers 2  generation 3  left 1:05",
            ProgressText.Line(At(470)));
    }

    [Fact]
    public async Task Plain_progress_writes_a_line_each_two_seconds_and_one_for_each_evaluation()
    {
        var clock = new ManualClock();
        var output = new StringWriter();
        await using var view = new PlainProgress(output, clock);

        for (ulong step = 471; step <= 570; step++)
        {
            view.Show(At(step));
            clock.Advance(TimeSpan.FromMilliseconds(100));
        }

        var lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("evaluated step 468: top-1 98.41 %, top-5 99.97 %, loss 0.0500", lines[0]);
        Assert.Equal(["step 471/1872", "step 491/1872", "step 511/1872", "step 531/1872", "step 551/1872"], lines[1..].Select(line => line[..13]));
    }

    [Fact]
    public async Task Plain_progress_says_once_why_a_run_waits()
    {
        var output = new StringWriter();
        await using var view = new PlainProgress(output, new ManualClock());
        var waiting = new RunStatus { State = "waiting", Reason = "1 of 2 workers" };

        view.Show(waiting);
        view.Show(waiting);

        Assert.Equal("waiting: 1 of 2 workers\n", output.ToString());
    }

    [Fact]
    public async Task Plain_progress_says_nothing_of_a_run_taken_up_until_it_has_trained_a_step()
    {
        var output = new StringWriter();
        await using var view = new PlainProgress(output, new ManualClock());

        view.Show(new RunStatus { State = "training", Step = 116, TotalSteps = 300 });
        Assert.Empty(output.ToString());
        view.Show(new RunStatus { State = "training", Step = 117, TotalSteps = 300, SamplesPerSecond = 500, Loss = 1 });

        Assert.StartsWith("step 117/300", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_known_yet_is_a_dash() =>
        Assert.StartsWith("step 0/-  epoch 0/2  loss -  top-1 -", ProgressText.Line(new RunStatus { TotalEpochs = 2 }), StringComparison.Ordinal);

    private static RunStatus At(ulong step) => new()
    {
        State = "training",
        Step = step,
        TotalSteps = 1872,
        Epoch = 2,
        TotalEpochs = 8,
        Loss = 0.08123,
        LastTop1 = 0.9841,
        LastTop5 = 0.9997,
        LastEvaluationLoss = 0.05,
        LastEvaluatedStep = 468,
        SamplesPerSecond = 5210,
        SecondsLeft = 64.5,
        Generation = 3,
        Workers = { new WorkerStatus(), new WorkerStatus() },
    };

    private sealed class ManualClock : TimeProvider
    {
        private long now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => now;

        public void Advance(TimeSpan time) => now += time.Ticks;
    }
}
