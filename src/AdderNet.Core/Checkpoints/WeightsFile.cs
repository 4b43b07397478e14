using AdderNet.Core.Engine;

namespace AdderNet.Core.Checkpoints;

/// <summary>
/// <c>final.safetensors</c> and <c>--init</c>: parameters and running statistics under plain state-dict names. What is
/// written depends on the weights alone, so that equal weights are equal files.
/// </summary>
public static class WeightsFile
{
    /// <summary>Writes the weights under a temporary name, flushes them to disk and renames the file.</summary>
    /// <exception cref="IOException">It could not be written; what <paramref name="path"/> held is untouched.</exception>
    public static SavedFile Save(string path, ModelLayout layout, ReplicaState state, string writer)
    {
        var tensors = StateTensors.Weights(layout, state).ToList();
        var metadata = new TensorFileMetadata(TensorFileMetadata.Weights, 0, "").With(tensors);
        return AtomicFile.Write(path, writer, stream => SafetensorsFile.Write(stream, tensors, metadata));
    }

    /// <summary>
    /// Writes the weights as a state dict for other programs: the same tensors as <see cref="Save"/>, without anything that
    /// is only ours.
    /// </summary>
    /// <exception cref="IOException">It could not be written; what <paramref name="path"/> held is untouched.</exception>
    public static SavedFile Export(string path, ModelLayout layout, ReplicaState state)
    {
        var metadata = new Dictionary<string, string> { [TensorFileMetadata.FormatKey] = TensorFileMetadata.PyTorchFormat };
        return AtomicFile.Write(path, "export", stream => SafetensorsFile.Write(stream, StateTensors.Weights(layout, state), metadata));
    }

    /// <summary>
    /// Reads weights from a weights file, a checkpoint, or another program's state dict. Files of ours are compared with
    /// their own hash. A checkpoint's momentum is left out; a <c>module.</c> prefix and <c>num_batches_tracked</c> are ignored.
    /// </summary>
    /// <returns>A state of step 0 with zero momentum.</returns>
    /// <exception cref="TensorFileException">The file is missing, cut short, altered or another model's; names the tensor.</exception>
    public static ReplicaState Load(string path, ModelLayout layout)
    {
        using var file = SafetensorsFile.Open(path);
        var state = new ReplicaState(0, new float[layout.ParameterLength], new float[layout.ParameterLength], new float[layout.StatisticsLength]);
        TensorFileMetadata.Verify(file);
        var tensors = new StateDict(file, name => name.StartsWith(StateTensors.MomentumPrefix, StringComparison.Ordinal) ? null : name);
        tensors.Fill(layout.Parameters.Select(p => p.Tensor), "", state.Parameters, required: true);
        tensors.Fill(layout.Statistics, "", state.Statistics, required: true);
        tensors.RefuseRest();
        return state;
    }

    /// <summary>
    /// Lays the tensors named <paramref name="prefix"/> + state-dict name over <paramref name="state"/>; others of the
    /// model stay as they are, other tensors of the file are left alone.
    /// </summary>
    /// <exception cref="TensorFileException">A tensor with the prefix is not one of the model's, or has another shape.</exception>
    internal static void Overlay(SafetensorsFile file, string prefix, ModelLayout layout, ReplicaState state)
    {
        var tensors = new StateDict(file, name => name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : null);
        tensors.Fill(layout.Parameters.Select(p => p.Tensor), "", state.Parameters, required: false);
        tensors.Fill(layout.Statistics, "", state.Statistics, required: false);
        tensors.RefuseRest();
    }
}
