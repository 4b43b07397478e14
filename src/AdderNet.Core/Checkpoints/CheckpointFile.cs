using AdderNet.Core.Engine;

namespace AdderNet.Core.Checkpoints;

/// <summary>What a checkpoint says about itself.</summary>
/// <param name="Step">Applied steps.</param>
/// <param name="RunIdentity">Identity of the run that wrote it.</param>
internal sealed record CheckpointHeader(long Step, string RunIdentity);

/// <summary>A checkpoint read whole.</summary>
public sealed record Checkpoint(ReplicaState State, string RunIdentity);

/// <summary>
/// <c>state.safetensors</c>: parameters, running statistics and <c>optimizer.momentum.NAME</c>, with step, run identity
/// and a SHA-256 over all of it as metadata. Equal states give equal bytes.
/// </summary>
public static class CheckpointFile
{
    /// <summary>Writes a checkpoint under a temporary name, flushes it to disk and renames it.</summary>
    /// <param name="path">Its name, such as <c>checkpoints/step-00000500/state.safetensors</c>.</param>
    /// <param name="layout">The model's layout.</param>
    /// <param name="state">What to save.</param>
    /// <param name="runIdentity">The run identity, 64 hex characters.</param>
    /// <param name="writer">The worker's id.</param>
    /// <exception cref="IOException">It could not be written; what <paramref name="path"/> held is untouched.</exception>
    public static SavedFile Save(string path, ModelLayout layout, ReplicaState state, string runIdentity, string writer) =>
        AtomicFile.Write(path, writer, stream => Write(stream, layout, state, runIdentity));

    /// <summary>Writes the bytes of a checkpoint file, as they also travel between workers.</summary>
    public static void Write(Stream destination, ModelLayout layout, ReplicaState state, string runIdentity)
    {
        var tensors = StateTensors.Weights(layout, state).Concat(StateTensors.Momentum(layout, state)).ToList();
        SafetensorsFile.Write(destination, tensors, new TensorFileMetadata(TensorFileMetadata.Checkpoint, state.Step, runIdentity).With(tensors));
    }

    /// <summary>Reads and verifies a checkpoint.</summary>
    /// <exception cref="TensorFileException">It is missing, cut short, altered, no checkpoint, or another model's.</exception>
    public static Checkpoint Load(string path, ModelLayout layout)
    {
        using var file = SafetensorsFile.Open(path);
        return Read(file, layout);
    }

    /// <summary>Reads and verifies a checkpoint from a seekable stream, which is disposed.</summary>
    /// <param name="stream">A whole checkpoint file.</param>
    /// <param name="source">Names the stream in errors.</param>
    /// <param name="layout">The model's layout.</param>
    /// <exception cref="TensorFileException">It is cut short, altered, no checkpoint, or another model's.</exception>
    public static Checkpoint Read(Stream stream, string source, ModelLayout layout)
    {
        using var file = SafetensorsFile.Open(stream, source);
        return Read(file, layout);
    }

    /// <summary>Reads a whole file and compares it with its own hash, without knowing the model.</summary>
    /// <exception cref="TensorFileException">It is missing, cut short, altered or no checkpoint.</exception>
    internal static CheckpointHeader Verify(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return Verify(file);
    }

    private static Checkpoint Read(SafetensorsFile file, ModelLayout layout)
    {
        var header = Verify(file);
        var state = new ReplicaState(header.Step, new float[layout.ParameterLength], new float[layout.ParameterLength], new float[layout.StatisticsLength]);
        var tensors = new StateDict(file, name => name);
        tensors.Fill(layout.Parameters.Select(p => p.Tensor), "", state.Parameters, required: true);
        tensors.Fill(layout.Statistics, "", state.Statistics, required: true);
        tensors.Fill(layout.Parameters.Select(p => p.Tensor), StateTensors.MomentumPrefix, state.Momentum, required: true);
        tensors.RefuseRest();
        return new Checkpoint(state, header.RunIdentity);
    }

    private static CheckpointHeader Verify(SafetensorsFile file)
    {
        var metadata = TensorFileMetadata.Verify(file);
        return metadata?.Kind == TensorFileMetadata.Checkpoint
            ? new CheckpointHeader(metadata.Step, metadata.RunIdentity)
            : throw new TensorFileException(file.Source, "is not a checkpoint (state.safetensors) of this program");
    }
}
