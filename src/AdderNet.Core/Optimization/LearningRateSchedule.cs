using AdderNet.Core.Configuration;
using AdderNet.Core.Numerics;

namespace AdderNet.Core.Optimization;

/// <summary>The learning rate of every step: a pure function of the step, so that a resumed run goes on where it stood.</summary>
/// <param name="options">Kind, length and period.</param>
/// <param name="learningRate">The rate that the schedule starts from.</param>
/// <param name="stepsPerEpoch">floor(N / B), at least 1.</param>
public sealed class LearningRateSchedule(ScheduleOptions options, double learningRate, long stepsPerEpoch)
{
    private readonly long stepsPerEpoch = stepsPerEpoch >= 1
        ? stepsPerEpoch
        : throw new ArgumentOutOfRangeException(nameof(stepsPerEpoch), stepsPerEpoch, "An epoch has at least one step.");

    /// <summary>Steps of the whole schedule, epochs * floor(N / B); <c>max_steps</c> may stop a run earlier.</summary>
    public long TotalSteps => options.Epochs * stepsPerEpoch;

    /// <summary>
    /// The rate of a step. Warm-up rises linearly and reaches the full rate at its last step (per epoch: at its last epoch).
    /// After it, cosine falls from the full rate towards 0 at the end; step multiplies by the factor every
    /// <c>step_epochs</c> epochs of the run.
    /// </summary>
    /// <param name="step">Steps count from 1.</param>
    public double At(long step)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        // Everything is counted in ticks: steps or whole epochs.
        var byStep = options.Per == SchedulePeriod.Step;
        var epoch = (step - 1) / stepsPerEpoch;
        var tick = byStep ? step - 1 : epoch;
        var ticksPerEpoch = byStep ? stepsPerEpoch : 1;
        var warmup = options.WarmupEpochs * ticksPerEpoch;
        if (tick < warmup)
            return learningRate * ((tick + 1) / (double)warmup);
        return options.Kind switch
        {
            ScheduleKind.Cosine => learningRate * Cosine(tick - warmup, options.Epochs * ticksPerEpoch - warmup),
            ScheduleKind.Step => learningRate * StepFactor(epoch / options.StepEpochs),
            ScheduleKind.Constant => learningRate,
            _ => throw new InvalidOperationException($"schedule.kind {options.Kind} is not a schedule."),
        };
    }

    private static double Cosine(long tick, long ticks) =>
        tick >= ticks ? 0 : 0.5 * (1 + DeterministicMath.Cos(Math.PI * (tick / (double)ticks)));

    private double StepFactor(long times)
    {
        var factor = 1.0;
        for (var i = 0L; i < times && factor != 0; i++)
            factor *= options.StepFactor;
        return factor;
    }
}
