using System.Globalization;

namespace AdderNet.Core.Configuration;

/// <summary>Every key of a run description, in the order in which it is written.</summary>
internal static class DescriptionKeys
{
    private const int MostShards = 1 << 16;
    private const string NoLimit = "none";

    public static IReadOnlyList<DescriptionKey> All { get; } =
    [
        DescriptionKey.Choice("model.name", ModelName.LeNet5, true, d => d.Model.Name, (d, v) => d with { Model = d.Model with { Name = v } }),
        DescriptionKey.Choice("model.method", LayerMethod.Adder, true, d => d.Model.Method, (d, v) => d with { Model = d.Model with { Method = v } }),
        DescriptionKey.Integer("model.classes", 2, 100_000, 10, true, d => d.Model.Classes, (d, v) => d with { Model = d.Model with { Classes = (int)v } }),

        DescriptionKey.Choice("data.format", DataFormat.Idx, true, d => d.Data.Format, (d, v) => d with { Data = d.Data with { Format = v } }),
        DescriptionKey.Directory("data.path", "datasets/mnist", d => d.Data.Path, (d, v) => d with { Data = d.Data with { Path = v } }),
        DescriptionKey.Integer("data.image_size", 8, 4096, 224, true, d => d.Data.ImageSize, (d, v) => d with { Data = d.Data with { ImageSize = (int)v } }),
        DescriptionKey.Choice("data.augment", Augmentation.None, true, d => d.Data.Augment, (d, v) => d with { Data = d.Data with { Augment = v } }),
        DescriptionKey.Choice("data.decode", PhotographDecoding.Scaled, true, d => d.Data.Decode, (d, v) => d with { Data = d.Data with { Decode = v } }),
        DescriptionKey.Choice("data.on_error", OnTrouble.Stop, true, d => d.Data.OnError, (d, v) => d with { Data = d.Data with { OnError = v } }),

        DescriptionKey.Integer("batch.global", 1, 1 << 20, 256, true, d => d.Batch.Global, (d, v) => d with { Batch = d.Batch with { Global = (int)v } }),
        DescriptionKey.Integer("batch.shards", 1, MostShards, 8, true, d => d.Batch.Shards, (d, v) => d with { Batch = d.Batch with { Shards = (int)v } }),
        DescriptionKey.Choice("batch.normalization", Normalization.Shard, true, d => d.Batch.Normalization, (d, v) => d with { Batch = d.Batch with { Normalization = v } }),

        DescriptionKey.Number("optimizer.learning_rate", (0, 1000, "(]"), 0.1, true, d => d.Optimizer.LearningRate, (d, v) => d with { Optimizer = d.Optimizer with { LearningRate = v } }),
        DescriptionKey.Number("optimizer.momentum", (0, 1, "[)"), 0.9, true, d => d.Optimizer.Momentum, (d, v) => d with { Optimizer = d.Optimizer with { Momentum = v } }),
        DescriptionKey.Flag("optimizer.nesterov", true, true, d => d.Optimizer.Nesterov, (d, v) => d with { Optimizer = d.Optimizer with { Nesterov = v } }),
        DescriptionKey.Number("optimizer.weight_decay", (0, 1, "[]"), 1e-4, true, d => d.Optimizer.WeightDecay, (d, v) => d with { Optimizer = d.Optimizer with { WeightDecay = v } }),
        DescriptionKey.Number("optimizer.eta", (0, 1000, "(]"), 0.1, true, d => d.Optimizer.Eta, (d, v) => d with { Optimizer = d.Optimizer with { Eta = v } }),

        DescriptionKey.Choice("gradient.kind", GradientKind.Full, true, d => d.Gradient.Kind, (d, v) => d with { Gradient = d.Gradient with { Kind = v } }),
        DescriptionKey.Choice("gradient.scaling", GradientScaling.Adaptive, true, d => d.Gradient.Scaling, (d, v) => d with { Gradient = d.Gradient with { Scaling = v } }),
        DescriptionKey.Choice("gradient.on_nonfinite", OnTrouble.Stop, true, d => d.Gradient.OnNonfinite, (d, v) => d with { Gradient = d.Gradient with { OnNonfinite = v } }),

        DescriptionKey.Choice("schedule.kind", ScheduleKind.Cosine, true, d => d.Schedule.Kind, (d, v) => d with { Schedule = d.Schedule with { Kind = v } }),
        DescriptionKey.Choice("schedule.per", SchedulePeriod.Step, true, d => d.Schedule.Per, (d, v) => d with { Schedule = d.Schedule with { Per = v } }),
        DescriptionKey.Integer("schedule.epochs", 1, 100_000, 150, true, d => d.Schedule.Epochs, (d, v) => d with { Schedule = d.Schedule with { Epochs = (int)v } }),
        DescriptionKey.Integer("schedule.warmup_epochs", 0, 100_000, 5, true, d => d.Schedule.WarmupEpochs, (d, v) => d with { Schedule = d.Schedule with { WarmupEpochs = (int)v } }),
        DescriptionKey.Integer("schedule.step_epochs", 1, 100_000, 30, true, d => d.Schedule.StepEpochs, (d, v) => d with { Schedule = d.Schedule with { StepEpochs = (int)v } }),
        DescriptionKey.Number("schedule.step_factor", (0, 1, "(]"), 0.1, true, d => d.Schedule.StepFactor, (d, v) => d with { Schedule = d.Schedule with { StepFactor = v } }),
        MaxSteps,

        DescriptionKey.Integer("evaluation.every_epochs", 0, 100_000, 1, false, d => d.Evaluation.EveryEpochs, (d, v) => d with { Evaluation = d.Evaluation with { EveryEpochs = (int)v } }),
        DescriptionKey.Flag("evaluation.keep_best", true, false, d => d.Evaluation.KeepBest, (d, v) => d with { Evaluation = d.Evaluation with { KeepBest = v } }),

        DescriptionKey.Integer("checkpoint.every_steps", 0, int.MaxValue, 500, false, d => d.Checkpoint.EverySteps, (d, v) => d with { Checkpoint = d.Checkpoint with { EverySteps = (int)v } }),
        DescriptionKey.Integer("checkpoint.keep", 1, 1_000_000, 3, false, d => d.Checkpoint.Keep, (d, v) => d with { Checkpoint = d.Checkpoint with { Keep = (int)v } }),
        DescriptionKey.Directory("checkpoint.path", "runs/mnist", d => d.Checkpoint.Path, (d, v) => d with { Checkpoint = d.Checkpoint with { Path = v } }),

        DescriptionKey.Integer("elastic.min_workers", 1, MostShards, 1, false, d => d.Elastic.MinWorkers, (d, v) => d with { Elastic = d.Elastic with { MinWorkers = (int)v } }),
        DescriptionKey.Integer("elastic.max_workers", 1, MostShards, 64, false, d => d.Elastic.MaxWorkers, (d, v) => d with { Elastic = d.Elastic with { MaxWorkers = (int)v } }),
        DescriptionKey.Integer("elastic.heartbeat_ms", 10, 60_000, 500, false, d => d.Elastic.HeartbeatMs, (d, v) => d with { Elastic = d.Elastic with { HeartbeatMs = (int)v } }),
        DescriptionKey.Integer("elastic.lease_ms", 50, 3_600_000, 2500, false, d => d.Elastic.LeaseMs, (d, v) => d with { Elastic = d.Elastic with { LeaseMs = (int)v } }),
        DescriptionKey.Flag("elastic.rebalance", true, false, d => d.Elastic.Rebalance, (d, v) => d with { Elastic = d.Elastic with { Rebalance = v } }),

        DescriptionKey.Number("exchange.bucket_megabytes", (0.001, 1024, "[]"), 4, false, d => d.Exchange.BucketMegabytes, (d, v) => d with { Exchange = d.Exchange with { BucketMegabytes = v } }),
        DescriptionKey.Integer("exchange.group_size", 0, MostShards, 0, false, d => d.Exchange.GroupSize, (d, v) => d with { Exchange = d.Exchange with { GroupSize = (int)v } }),

        DescriptionKey.Integer("seed", long.MinValue, long.MaxValue, 1, true, d => d.Seed, (d, v) => d with { Seed = v }),
    ];

    /// <summary>Keys that have no default.</summary>
    public static IReadOnlyList<string> Required { get; } = ["model.name", "data.format"];

    public static IReadOnlyList<string> Sections { get; } =
        All.Where(key => key.Name.Contains('.', StringComparison.Ordinal)).Select(key => key.Name[..key.Name.IndexOf('.', StringComparison.Ordinal)]).Distinct().ToList();

    private static DescriptionKey MaxSteps => new(
        "schedule.max_steps", $"must be {NoLimit} or a whole number of at least 1", "1000", InIdentity: false,
        d => d.Schedule.MaxSteps?.ToString(CultureInfo.InvariantCulture) ?? NoLimit,
        (d, text) => text == NoLimit ? d with { Schedule = d.Schedule with { MaxSteps = null } }
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= 1 ? d with { Schedule = d.Schedule with { MaxSteps = value } }
            : null);

    public static DescriptionKey? Find(string name) => All.FirstOrDefault(key => key.Name == name);

    /// <summary>What a name that is no key was probably meant to be.</summary>
    public static DescriptionKey Nearest(string name) => Find(NearestName.OfKey(name, All.Select(key => key.Name)))!;
}
