namespace AdderNet.Core.Engine;

/// <summary>The parts of a training step that take time.</summary>
internal enum StepPart
{
    /// <summary>Waiting for samples and copying them.</summary>
    Samples,

    /// <summary>Adder layers, eq. 2.</summary>
    AdderForward,

    /// <summary>Adder layers, eq. 4 or 5.</summary>
    AdderFilterGradient,

    /// <summary>Adder layers, eq. 6-7.</summary>
    AdderInputGradient,

    /// <summary>Multiplying layers that read the images.</summary>
    FirstConvolution,

    /// <summary>Other multiplying layers: classifiers, or all of them with other methods than adder.</summary>
    Multiplying,

    /// <summary>Binary layers.</summary>
    Binary,

    /// <summary>Batch norms with the joins and ReLUs behind them.</summary>
    Norm,

    /// <summary>Max and average pools.</summary>
    Pooling,

    /// <summary>ReLUs and joins on their own; gradients of one map that several layers read, added.</summary>
    Elementwise,

    /// <summary>Softmax, cross-entropy, hits.</summary>
    Loss,

    /// <summary>Searching outputs and gradients for values that are not finite.</summary>
    Search,

    /// <summary>Adding shards through the tree.</summary>
    ShardSum,

    /// <summary>Everything that crosses workers, and the hash that they vote.</summary>
    Exchange,

    /// <summary>Adaptive rate, momentum, weights, running statistics.</summary>
    Optimizer,
}

/// <summary>Takes the time of each part of a step: each <see cref="Charge"/> counts what has passed since the last one.</summary>
/// <param name="time">The clock; it never reaches a result.</param>
internal sealed class StepClock(TimeProvider time)
{
    private readonly long[] ticks = new long[Enum.GetValues<StepPart>().Length];
    private long last = time.GetTimestamp();

    /// <summary>Time so far counts to nothing.</summary>
    public void Skip() => last = time.GetTimestamp();

    /// <summary>Time since the last call counts to a part.</summary>
    public void Charge(StepPart part)
    {
        var now = time.GetTimestamp();
        ticks[(int)part] += now - last;
        last = now;
    }

    /// <summary>Starts over.</summary>
    public void Reset()
    {
        Array.Clear(ticks);
        Skip();
    }

    /// <summary>Seconds of a part since <see cref="Reset"/>.</summary>
    public double Seconds(StepPart part) => (double)ticks[(int)part] / time.TimestampFrequency;
}
