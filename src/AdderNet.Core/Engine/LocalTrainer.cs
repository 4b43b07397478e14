using AdderNet.Core.Checkpoints;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Models;
using AdderNet.Core.Sharding;

namespace AdderNet.Core.Engine;

/// <summary>A step that was taken.</summary>
/// <param name="Step">Its number, from 1.</param>
/// <param name="Loss">Mean cross-entropy of its samples before the step.</param>
/// <param name="Accuracy">The part of its samples that was classified rightly before the step, 0 to 1.</param>
public readonly record struct TrainedStep(long Step, double Loss, double Accuracy);

/// <summary>
/// Trains a model in this process alone, by the very steps of a run on many machines: the same shards, the same shard tree
/// and so the same bits. Calls are made one at a time.
/// </summary>
public sealed class LocalTrainer : IDisposable
{
    private readonly ManagedReplica replica;
    private readonly OnTrouble onNonFinite;
    private readonly LocalMomentMerge moments;
    private readonly TreeCombiner combiner;
    private readonly ShardRange shards;
    private readonly float[] mean;

    /// <summary>Starts at the initial weights that the seed draws.</summary>
    /// <param name="model">From a <see cref="ModelBuilder"/> or the <see cref="ModelCatalog"/>.</param>
    /// <param name="training">How to train it.</param>
    /// <param name="stepsPerEpoch">Steps of one epoch, for the schedule; <see cref="SampleOrder.StepsPerEpoch"/> of the data.</param>
    /// <param name="threads">Threads to compute with, at least 1; they change no bit.</param>
    /// <param name="time">Clock of the duration metrics; it never reaches a result.</param>
    /// <exception cref="InvalidDescriptionException">The batch cannot be cut so, or a batch norm would see a single value.</exception>
    public LocalTrainer(ModelDescription model, TrainingOptions training, long stepsPerEpoch, int threads, TimeProvider? time = null)
    {
        DescriptionChecks.CheckBatch(training.Batch, "batch options");
        replica = ManagedReplica.Create(model, training, stepsPerEpoch, threads, time);
        onNonFinite = training.Gradient.OnNonfinite;
        shards = new ShardRange(0, training.Batch.Shards);
        moments = new LocalMomentMerge(shards.Count);
        combiner = new TreeCombiner(shards.Count, model.Layout.ReductionLength);
        mean = new float[model.Layout.ReductionLength];
    }

    /// <summary>The model.</summary>
    public ModelDescription Model => replica.Model;

    /// <summary>Steps taken.</summary>
    public long Step => replica.AppliedStep;

    /// <summary>Takes one step: every shard forward and backward, their mean, the update.</summary>
    /// <param name="batches">Gives the shards of step <see cref="Step"/> + 1, such as <see cref="ShardBatches"/>.</param>
    /// <param name="cancellation">Abandons the step; the weights stay as they are.</param>
    /// <exception cref="NotFiniteNumberException">A NaN or infinity came up and <see cref="GradientOptions.OnNonfinite"/> is stop; the weights stay as they are.</exception>
    public async Task<TrainedStep> StepAsync(IShardBatches batches, CancellationToken cancellation = default)
    {
        combiner.Reset();
        foreach (var sum in await replica.ComputeAsync(shards, batches, moments, static () => { }, early: null, cancellation).ConfigureAwait(false))
            combiner.Add(sum.Node, sum.Sum.Span, sum.Counts);
        var counts = combiner.Finish(mean);
        var broken = counts.FirstNonFinite != 0;
        if (broken && onNonFinite == OnTrouble.Stop)
        {
            var (layer, shard) = ((int)((counts.FirstNonFinite - 1) >> 32), (uint)(counts.FirstNonFinite - 1));
            throw new NotFiniteNumberException($"step {Step + 1}: {Model.LayerNames[layer]} is not finite in shard {shard}");
        }

        replica.Apply(mean, skip: broken);
        return new TrainedStep(Step, mean[Model.Layout.LossIndex], (double)counts.Correct / counts.Samples);
    }

    /// <summary>Runs the model with its running statistics on a whole set.</summary>
    public EvaluationSums Evaluate(ISampleSet samples, CancellationToken cancellation = default)
    {
        var blocks = new EvaluationBlocks(samples, Model.Input);
        var sums = default(EvaluationSums);
        for (var block = 0; block < blocks.Count; block++)
            sums += replica.Evaluate(blocks.Read(block), cancellation);
        return sums;
    }

    /// <summary>A copy of parameters, momentum and running statistics; what <see cref="WeightsFile"/> and <see cref="CheckpointFile"/> save.</summary>
    public ReplicaState Export() => replica.Export();

    /// <summary>Goes on from a state, at its step.</summary>
    /// <exception cref="ArgumentException">The state is another model's; nothing is changed.</exception>
    public void Import(ReplicaState state) => replica.Import(state);

    /// <summary>Ends the compute threads.</summary>
    public void Dispose() => replica.Dispose();
}
