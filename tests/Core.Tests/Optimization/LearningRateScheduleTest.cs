using AdderNet.Core.Configuration;
using AdderNet.Core.Optimization;
using Xunit;

namespace AdderNet.Core.Tests.Optimization;

public sealed class LearningRateScheduleTest
{
    private const long StepsPerEpoch = 10;

    [Fact]
    public void Cosine_per_step_starts_at_the_full_rate_and_ends_near_zero()
    {
        var schedule = Schedule(new ScheduleOptions { Epochs = 4 });
        Assert.Equal(40, schedule.TotalSteps);
        Assert.Equal(0.2, schedule.At(1));
        Assert.Equal(0.1, schedule.At(21), 1e-15);
        Assert.Equal(0.2 * 0.5 * (1 + Math.Cos(Math.PI * 39 / 40)), schedule.At(40), 1e-15);
        Assert.All(Enumerable.Range(1, 39), step => Assert.True(schedule.At(step + 1) < schedule.At(step)));
    }

    [Fact]
    public void Cosine_per_epoch_is_set_once_an_epoch()
    {
        var schedule = Schedule(new ScheduleOptions { Epochs = 4, Per = SchedulePeriod.Epoch });
        Assert.Equal(0.2, schedule.At(1));
        Assert.Equal(0.2, schedule.At(10));
        Assert.Equal(0.2 * 0.5 * (1 + Math.Cos(Math.PI / 4)), schedule.At(11), 1e-15);
        Assert.Equal(schedule.At(11), schedule.At(20));
        Assert.Equal(0.1, schedule.At(21), 1e-15);
    }

    [Fact]
    public void Step_multiplies_by_the_factor_every_so_many_epochs()
    {
        var schedule = Schedule(new ScheduleOptions { Kind = ScheduleKind.Step, Epochs = 9, StepEpochs = 3, StepFactor = 0.5 });
        Assert.Equal(0.2, schedule.At(30));
        Assert.Equal(0.1, schedule.At(31));
        Assert.Equal(0.1, schedule.At(60));
        Assert.Equal(0.05, schedule.At(61));
    }

    [Fact]
    public void Warm_up_rises_linearly_and_the_cosine_follows_over_what_is_left()
    {
        var schedule = Schedule(new ScheduleOptions { Epochs = 6, WarmupEpochs = 2 });
        Assert.Equal(0.01, schedule.At(1), 1e-15);
        Assert.Equal(0.1, schedule.At(10), 1e-15);
        Assert.Equal(0.2, schedule.At(20));
        Assert.Equal(0.2, schedule.At(21));
        Assert.Equal(0.1, schedule.At(41), 1e-15);

        var byEpoch = Schedule(new ScheduleOptions { Epochs = 6, WarmupEpochs = 2, Per = SchedulePeriod.Epoch });
        Assert.Equal(0.1, byEpoch.At(10));
        Assert.Equal(0.2, byEpoch.At(11));
        Assert.Equal(0.2, byEpoch.At(21));
        Assert.Equal(0.1, byEpoch.At(41), 1e-15);
    }

    [Fact]
    public void A_constant_rate_stays_and_a_finished_cosine_is_zero()
    {
        Assert.Equal(0.2, Schedule(new ScheduleOptions { Kind = ScheduleKind.Constant, Epochs = 1 }).At(1000));
        Assert.Equal(0, Schedule(new ScheduleOptions { Epochs = 1 }).At(11));
    }

    private static LearningRateSchedule Schedule(ScheduleOptions options) => new(options, 0.2, StepsPerEpoch);
}
