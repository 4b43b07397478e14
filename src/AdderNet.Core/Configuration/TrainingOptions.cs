namespace AdderNet.Core.Configuration;

/// <summary>How a model is trained, whatever the model and the data: the part of a run description that an engine needs.</summary>
public sealed record TrainingOptions
{
    /// <summary>How a global batch is cut.</summary>
    public BatchOptions Batch { get; init; } = new();

    /// <summary>Momentum SGD and the adaptive rate's eta.</summary>
    public OptimizerOptions Optimizer { get; init; } = new();

    /// <summary>Which filter gradient, how it is scaled, and what a non-finite value does.</summary>
    public GradientOptions Gradient { get; init; } = new();

    /// <summary>The learning rate over time.</summary>
    public ScheduleOptions Schedule { get; init; } = new();

    /// <summary>Keys every random number.</summary>
    public long Seed { get; init; } = 1;
}
