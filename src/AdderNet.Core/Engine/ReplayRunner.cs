using AdderNet.Core.Checkpoints;
using AdderNet.Core.Configuration;
using AdderNet.Core.Optimization;
using AdderNet.Core.Sharding;

namespace AdderNet.Core.Engine;

/// <summary>
/// Runs the training steps of a case file, so that another framework's steps can be laid beside ours: one shard, constant
/// learning rate, zero initial momentum.
/// </summary>
public static class ReplayRunner
{
    /// <summary>
    /// Reads <c>images</c> F32 [steps, B, C, H, W] (normalised), <c>labels</c> I64 [steps, B] and <c>model.NAME</c>
    /// (missing ones keep their initial value); writes <c>loss</c> F32 [steps], <c>grad.STEP.NAME</c> of every parameter
    /// (steps from 0; as it enters momentum and weight decay, so adder filters already scaled by alpha), and
    /// <c>model.NAME</c>, parameters and running statistics after the last step.
    /// </summary>
    /// <param name="description">The run; its data, batch and schedule are ignored.</param>
    /// <param name="input">The case.</param>
    /// <param name="output">Where the result goes.</param>
    /// <param name="threads">Threads to compute with.</param>
    /// <param name="cancellation">Ends the replay; nothing is written.</param>
    /// <exception cref="TensorFileException">The case is damaged, or a tensor is unknown or of another shape.</exception>
    /// <exception cref="InvalidDescriptionException">The model cannot be built for these images.</exception>
    /// <exception cref="IOException">The result cannot be written.</exception>
    public static async Task RunAsync(RunDescription description, string input, string output, int threads, CancellationToken cancellation)
    {
        using var file = SafetensorsFile.Open(input);
        var batches = ReplayCase.Read(file, description.Model.Classes);
        description = description with
        {
            Batch = new BatchOptions { Global = batches.Samples, Shards = 1 },
            Schedule = new ScheduleOptions { Kind = ScheduleKind.Constant, Epochs = 1 },
        };
        using var replica = ManagedReplica.Create(description, batches.Input, Math.Max(1, batches.Steps), threads);
        var state = replica.Export();
        WeightsFile.Overlay(file, "model.", replica.Layout, state);
        replica.Import(state);

        var optimizer = new MomentumSgd(description.Optimizer, description.Gradient.Scaling);
        var losses = new float[batches.Steps];
        var tensors = new List<NamedTensor> { NamedTensor.Float32("loss", [batches.Steps], losses) };
        for (var step = 0; step < batches.Steps; step++)
        {
            var sums = await replica.ComputeAsync(new ShardRange(0, 1), batches, new LocalMomentMerge(1), static () => { }, early: null, cancellation)
                .ConfigureAwait(false);
            // The tree of one shard is its leaf, and the mean over one shard its sum.
            var mean = sums[0].Sum;
            losses[step] = mean.Span[replica.Layout.LossIndex];
            tensors.AddRange(replica.Layout.Parameters.Select(p => Gradient(step, p, mean.Span, optimizer)));
            replica.Apply(mean.Span, skip: false);
        }

        state = replica.Export();
        tensors.AddRange(replica.Layout.Parameters.Select(p => Final(p.Tensor, state.Parameters)));
        tensors.AddRange(replica.Layout.Statistics.Select(s => Final(s, state.Statistics)));
        AtomicFile.Write(output, "replay", stream => SafetensorsFile.Write(stream, tensors, new Dictionary<string, string>()));
    }

    private static NamedTensor Gradient(int step, ParameterSlot parameter, ReadOnlySpan<float> mean, MomentumSgd optimizer)
    {
        var slot = parameter.Tensor;
        var gradient = mean.Slice(slot.Offset, slot.Length).ToArray();
        var scale = optimizer.Scale(parameter, gradient);
        for (var i = 0; i < gradient.Length; i++)
            gradient[i] *= scale;
        return NamedTensor.Float32($"grad.{step}.{slot.Name}", slot.Shape, gradient);
    }

    private static NamedTensor Final(TensorSlot slot, float[] buffer) =>
        NamedTensor.Float32($"model.{slot.Name}", slot.Shape, buffer.AsMemory(slot.Offset, slot.Length));
}
