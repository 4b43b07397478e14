namespace AdderNet.Core.Configuration;

/// <summary>A run as its YAML file describes it, defaults filled in. Immutable; keys are the property names in snake_case.</summary>
public sealed record RunDescription
{
    /// <summary>Which network.</summary>
    public required ModelOptions Model { get; init; }

    /// <summary>Which samples.</summary>
    public required DataOptions Data { get; init; }

    /// <summary>How a global batch is cut.</summary>
    public BatchOptions Batch { get; init; } = new();

    /// <summary>Momentum SGD and the adaptive rate's eta.</summary>
    public OptimizerOptions Optimizer { get; init; } = new();

    /// <summary>Which filter gradient, how it is scaled, and what a non-finite value does.</summary>
    public GradientOptions Gradient { get; init; } = new();

    /// <summary>The learning rate over time, and the run's length.</summary>
    public ScheduleOptions Schedule { get; init; } = new();

    /// <summary>How often the test set is run.</summary>
    public EvaluationOptions Evaluation { get; init; } = new();

    /// <summary>How often and where state is saved.</summary>
    public CheckpointOptions Checkpoint { get; init; } = new();

    /// <summary>Membership and leases.</summary>
    public ElasticOptions Elastic { get; init; } = new();

    /// <summary>How gradients travel.</summary>
    public ExchangeOptions Exchange { get; init; } = new();

    /// <summary>Keys every random number of the run.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>The part that an engine needs.</summary>
    public TrainingOptions Training => new() { Batch = Batch, Optimizer = Optimizer, Gradient = Gradient, Schedule = Schedule, Seed = Seed };
}

/// <summary>Networks that can be named.</summary>
public enum ModelName { LeNet5, VggSmall, ResNet20, ResNet32, ResNet18, ResNet50 }

/// <summary>What a layer does with input and filter: the paper's adder layer, or one of the baselines of its tables.</summary>
public enum LayerMethod { Adder, Conv, Binary, DoReFa, Xnor }

/// <summary>YAML section <c>model</c>.</summary>
public sealed record ModelOptions
{
    public required ModelName Name { get; init; }
    public LayerMethod Method { get; init; } = LayerMethod.Adder;

    /// <summary>Number of classes, at least 2.</summary>
    public int Classes { get; init; } = 10;
}

/// <summary>How samples are stored.</summary>
public enum DataFormat { Idx, Cifar, Folder, Tar, Synthetic }

/// <summary>Random changes to training samples.</summary>
public enum Augmentation { None, CropFlip, ImageNet }

/// <summary>How much of a JPEG's resolution is decoded.</summary>
public enum PhotographDecoding
{
    /// <summary>All of it, as Pillow does.</summary>
    Full,

    /// <summary>
    /// A half, a quarter or an eighth of it, as long as the part that is used stays at least as large as what it becomes:
    /// faster for large photographs, and not the same pixels (docs/data.md has the difference, measured).
    /// </summary>
    Scaled,
}

/// <summary>What happens on the event that the key names.</summary>
public enum OnTrouble { Stop, Skip }

/// <summary>YAML section <c>data</c>.</summary>
public sealed record DataOptions
{
    public required DataFormat Format { get; init; }

    /// <summary>Directory of the data set; not part of the run identity.</summary>
    public string? Path { get; init; }

    /// <summary>Side of the square training image in pixels (folder, tar and synthetic; idx and cifar have their own).</summary>
    public int ImageSize { get; init; } = 224;
    public Augmentation Augment { get; init; } = Augmentation.None;
    public PhotographDecoding Decode { get; init; } = PhotographDecoding.Full;
    public OnTrouble OnError { get; init; } = OnTrouble.Stop;
}

/// <summary>Over which samples a batch norm takes its statistics while training.</summary>
public enum Normalization { Shard, Global }

/// <summary>YAML section <c>batch</c>.</summary>
public sealed record BatchOptions
{
    /// <summary>B, samples of one step over all workers; a multiple of <see cref="Shards"/>.</summary>
    public int Global { get; init; } = 256;

    /// <summary>S, gradient shards: a power of two. World size decides only who computes which shard.</summary>
    public int Shards { get; init; } = 8;
    public Normalization Normalization { get; init; } = Normalization.Shard;

    /// <summary>Samples of one shard, B/S.</summary>
    public int ShardSize => Global / Shards;
}

/// <summary>YAML section <c>optimizer</c>.</summary>
public sealed record OptimizerOptions
{
    public double LearningRate { get; init; } = 0.1;
    public double Momentum { get; init; } = 0.9;
    public bool Nesterov { get; init; }
    public double WeightDecay { get; init; } = 1e-4;

    /// <summary>eta of the adaptive rate (paper, eq. 13).</summary>
    public double Eta { get; init; } = 0.1;
}

/// <summary>Filter gradient of adder layers: full precision (eq. 5) or sign (eq. 4).</summary>
public enum GradientKind { Full, Sign }

/// <summary>How adder filter gradients are scaled before momentum.</summary>
public enum GradientScaling { Adaptive, Increased, None }

/// <summary>YAML section <c>gradient</c>.</summary>
public sealed record GradientOptions
{
    public GradientKind Kind { get; init; } = GradientKind.Full;
    public GradientScaling Scaling { get; init; } = GradientScaling.Adaptive;
    public OnTrouble OnNonfinite { get; init; } = OnTrouble.Stop;
}

/// <summary>Shape of the learning rate over time.</summary>
public enum ScheduleKind { Cosine, Step, Constant }

/// <summary>When the learning rate changes.</summary>
public enum SchedulePeriod { Step, Epoch }

/// <summary>YAML section <c>schedule</c>.</summary>
public sealed record ScheduleOptions
{
    public ScheduleKind Kind { get; init; } = ScheduleKind.Cosine;
    public SchedulePeriod Per { get; init; } = SchedulePeriod.Step;
    public int Epochs { get; init; } = 150;
    public int WarmupEpochs { get; init; }
    public int StepEpochs { get; init; } = 30;
    public double StepFactor { get; init; } = 0.1;

    /// <summary>Only stops the run; a larger one continues it. Null: none.</summary>
    public long? MaxSteps { get; init; }
}

/// <summary>YAML section <c>evaluation</c>.</summary>
public sealed record EvaluationOptions
{
    /// <summary>0: never.</summary>
    public int EveryEpochs { get; init; } = 1;
    public bool KeepBest { get; init; } = true;
}

/// <summary>YAML section <c>checkpoint</c>.</summary>
public sealed record CheckpointOptions
{
    /// <summary>0: only at the last step and when stopped.</summary>
    public int EverySteps { get; init; } = 500;

    /// <summary>Newest checkpoints kept, at least 1.</summary>
    public int Keep { get; init; } = 3;

    /// <summary>The run's output directory, which every worker and the coordinator can reach.</summary>
    public string? Path { get; init; }
}

/// <summary>YAML section <c>elastic</c>.</summary>
public sealed record ElasticOptions
{
    public int MinWorkers { get; init; } = 1;
    public int MaxWorkers { get; init; } = 64;
    public int HeartbeatMs { get; init; } = 500;
    public int LeaseMs { get; init; } = 2500;
    public bool Rebalance { get; init; } = true;
}

/// <summary>YAML section <c>exchange</c>.</summary>
public sealed record ExchangeOptions
{
    /// <summary>Target size of a gradient bucket; a bucket has one owner.</summary>
    public double BucketMegabytes { get; init; } = 4;

    /// <summary>Members per group for hierarchical exchange; 0: no groups.</summary>
    public int GroupSize { get; init; }
}
