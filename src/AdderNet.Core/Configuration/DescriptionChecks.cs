using System.Globalization;
using System.Numerics;

namespace AdderNet.Core.Configuration;

/// <summary>What keys must fulfil together.</summary>
internal static class DescriptionChecks
{
    /// <summary>Classes of synthetic data.</summary>
    public const int SyntheticClasses = 10;

    private const int LeNetSide = 28;

    /// <exception cref="InvalidDescriptionException">The first rule that is broken.</exception>
    public static void Check(RunDescription d, string source)
    {
        void Require(bool holds, string key, object value, string problem, string example)
        {
            if (!holds)
                throw InvalidDescriptionException.OfKey(source, key, Convert.ToString(value, CultureInfo.InvariantCulture), problem, example);
        }

        var batch = d.Batch;
        CheckBatch(batch, source);

        // Every model ends in a batch norm with one position a sample, which needs two samples to have a variance.
        var normalized = batch.Normalization == Normalization.Shard ? batch.ShardSize : batch.Global;
        Require(
            normalized >= 2, "batch.global", batch.Global,
            batch.Normalization == Normalization.Shard
                ? $"in batch.shards: {batch.Shards} leaves 1 sample a shard, but batch norm needs at least 2"
                : "is 1 sample, but batch norm needs at least 2",
            $"batch.global: {2 * batch.Shards}");

        CheckData(d, Require);
        Require(!d.Optimizer.Nesterov || d.Optimizer.Momentum > 0, "optimizer.momentum", d.Optimizer.Momentum, "must be above 0 with optimizer.nesterov: true", "optimizer.momentum: 0.9");
        Require(
            d.Schedule.WarmupEpochs < d.Schedule.Epochs, "schedule.warmup_epochs", d.Schedule.WarmupEpochs,
            $"must be less than schedule.epochs: {d.Schedule.Epochs}", $"schedule.warmup_epochs: {d.Schedule.Epochs / 10}");
        Require(
            d.Elastic.MinWorkers <= d.Elastic.MaxWorkers, "elastic.min_workers", d.Elastic.MinWorkers,
            $"must be at most elastic.max_workers: {d.Elastic.MaxWorkers}", $"elastic.min_workers: {d.Elastic.MaxWorkers}");
        Require(
            d.Elastic.LeaseMs >= 2 * d.Elastic.HeartbeatMs, "elastic.lease_ms", d.Elastic.LeaseMs,
            $"must be at least twice elastic.heartbeat_ms: {d.Elastic.HeartbeatMs}", $"elastic.lease_ms: {5 * d.Elastic.HeartbeatMs}");
    }

    /// <summary>Whether a batch can be cut into its shards.</summary>
    /// <exception cref="InvalidDescriptionException">It cannot.</exception>
    public static void CheckBatch(BatchOptions batch, string source)
    {
        if (!BitOperations.IsPow2(batch.Shards))
            throw InvalidDescriptionException.OfKey(source, "batch.shards", $"{batch.Shards}", "must be a power of two", $"batch.shards: {(batch.Shards < 1 ? 8 : BitOperations.RoundUpToPowerOf2((uint)batch.Shards) / 2)}");
        if (batch.Global < 1 || batch.Global % batch.Shards != 0)
            throw InvalidDescriptionException.OfKey(source, "batch.global", $"{batch.Global}", $"must be a multiple of batch.shards: {batch.Shards}", $"batch.global: {((Math.Max(batch.Global, 0) / batch.Shards) + 1) * batch.Shards}");
    }

    private static void CheckData(RunDescription d, Action<bool, string, object, string, string> require)
    {
        var data = d.Data;
        var format = Spelling.Of(data.Format);
        if (d.Model.Name == ModelName.LeNet5)
        {
            require(
                data.Format is DataFormat.Idx or DataFormat.Synthetic, "data.format", format,
                $"gives colour images, but model.name: lenet5 takes {LeNetSide} x {LeNetSide} grey ones", "data.format: idx");
            require(
                data.Format != DataFormat.Synthetic || data.ImageSize == LeNetSide, "data.image_size", data.ImageSize,
                $"does not suit model.name: lenet5, which takes {LeNetSide} x {LeNetSide} images", $"data.image_size: {LeNetSide}");
        }

        require(
            data.Format != DataFormat.Synthetic || d.Model.Classes >= SyntheticClasses, "model.classes", d.Model.Classes,
            $"is too few for data.format: synthetic, which has {SyntheticClasses} classes", $"model.classes: {SyntheticClasses}");
        require(
            data.Augment != Augmentation.ImageNet || data.Format is DataFormat.Folder or DataFormat.Tar, "data.augment", Spelling.Of(data.Augment),
            $"crops photographs of any size, which data.format: {format} does not have", "data.augment: crop-flip");
        require(
            data.Decode == PhotographDecoding.Full || data.Format is DataFormat.Folder or DataFormat.Tar, "data.decode", Spelling.Of(data.Decode),
            $"is about JPEGs, which data.format: {format} does not have", "data.decode: full");
    }
}
