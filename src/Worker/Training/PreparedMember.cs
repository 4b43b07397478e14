using AdderNet.Core.Checkpoints;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Core.Optimization;
using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Training;

/// <summary>A worker that has read its run's description and data and built its replica.</summary>
internal sealed class PreparedMember : IAsyncDisposable
{
    private readonly Func<ManagedReplica> build;
    private readonly string initialWeights;
    private readonly OutputPaths paths;
    private readonly ManagedReplica replica;

    private PreparedMember(
        RunDescription description, DataSource data, Func<ManagedReplica> build, string initialWeights, OutputPaths paths, int stepsPerEpoch, ShardBatches batches, int decodeThreads)
    {
        (Description, Data, this.build, this.initialWeights, this.paths, Batches, DecodeThreads) = (description, data, build, initialWeights, paths, batches, decodeThreads);
        Schedule = new LearningRateSchedule(description.Schedule, description.Optimizer.LearningRate, stepsPerEpoch);
        replica = build();
        StartOver();
        PictureProbeHash = TrainingProbe.HashPictures(description.Data);
        Identity = RunIdentity.Compute(description, data.Manifest, InitialHash(), ManagedReplica.EngineName);
    }

    public RunDescription Description { get; }

    public DataSource Data { get; }

    public ShardBatches Batches { get; }

    /// <summary>Threads that decode samples.</summary>
    public int DecodeThreads { get; }

    public LearningRateSchedule Schedule { get; }

    /// <summary>Hex SHA-256: what makes two runs the same run.</summary>
    public string Identity { get; }

    /// <summary>Hash of built-in pictures as this machine decodes and resamples them; empty where the data are no pictures.</summary>
    public string PictureProbeHash { get; }

    public IReplica Replica => replica;

    /// <summary>Why the checkpoint that the coordinator named could not be taken, so that the replica stands at its initial weights; null: it was taken, or none was named.</summary>
    public string? ResumeProblem { get; private set; }

    public IReadOnlyList<string> LayerNames => replica.Model.LayerNames;

    /// <summary>Reads the description and the data and builds the replica, at a checkpoint's weights or, where there is none that can be read, its initial ones.</summary>
    /// <param name="welcome">What the coordinator said.</param>
    /// <param name="dataPath">Replaces <c>data.path</c>.</param>
    /// <param name="threads">Compute threads.</param>
    /// <param name="decodeThreads">Threads that decode samples.</param>
    /// <param name="paths">Where checkpoints lie.</param>
    /// <param name="time">Clock of durations.</param>
    /// <exception cref="InvalidDescriptionException">The description cannot be followed.</exception>
    /// <exception cref="DataException">The data is missing or damaged.</exception>
    /// <exception cref="TensorFileException">The initial weights are missing, damaged or another model's.</exception>
    public static PreparedMember Create(WelcomeOrder welcome, string? dataPath, int threads, int decodeThreads, OutputPaths paths, TimeProvider time)
    {
        var description = RunDescriptionFile.Parse(welcome.Description, $"run {welcome.RunId}");
        var data = DataSource.Open(description.Data, dataPath);
        data.RequireClasses(description.Model.Classes);
        RequireRunsData(data, welcome, dataPath ?? description.Data.Path);
        var order = new SampleOrder(description.Seed, data.Train.Count, description.Batch.Global);
        var batches = new ShardBatches(data.Train, data.Input, order, description.Training, time, threads: decodeThreads);
        var member = new PreparedMember(
            description,
            data,
            () => ManagedReplica.Create(description, data.Input, order.StepsPerEpoch, threads, time),
            welcome.InitialWeights,
            paths,
            order.StepsPerEpoch,
            batches,
            decodeThreads);
        if (welcome.ResumeFrom.Length > 0)
            member.Resume(welcome.ResumeFrom);
        return member;
    }

    /// <summary>Goes back to the initial weights.</summary>
    public void StartOver()
    {
        if (initialWeights.Length > 0)
        {
            replica.Import(WeightsFile.Load(paths.Resolve(initialWeights), replica.Layout));
        }
        else if (replica.AppliedStep > 0)
        {
            using var fresh = build();
            replica.Import(fresh.Export());
        }
    }

    /// <summary>Takes the state of a checkpoint file, which must be that of <paramref name="step"/> where one is named.</summary>
    public void Load(string checkpoint, long? step = null)
    {
        var path = paths.Resolve(checkpoint);
        Take(CheckpointFile.Load(path, replica.Layout), path, step);
    }

    /// <summary>Takes a state that was downloaded as the bytes of a checkpoint file.</summary>
    public void Take(byte[] bytes, string source, long step) =>
        Take(CheckpointFile.Read(new MemoryStream(bytes, writable: false), source, replica.Layout), source, step);

    /// <summary>A state as the bytes of a checkpoint file.</summary>
    public byte[] ToBytes(ReplicaState state)
    {
        using var stream = new MemoryStream();
        CheckpointFile.Write(stream, replica.Layout, state, Identity);
        return stream.ToArray();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Batches.DisposeAsync();
        Data.Dispose();
        replica.Dispose();
    }

    // A head start only: the generation brings every member to its base, from another member if there is one.
    private void Resume(string checkpoint)
    {
        try
        {
            Load(checkpoint);
        }
        catch (Exception e) when (e is TensorFileException or IOException or UnauthorizedAccessException)
        {
            ResumeProblem = e.Message;
        }
    }

    private static void RequireRunsData(DataSource data, WelcomeOrder welcome, string? path)
    {
        if (welcome.DataManifestHash.Length > 0 && data.Manifest.Hash != welcome.DataManifestHash)
        {
            throw new DataException(
                $"data '{path}' has manifest hash {data.Manifest.Hash}, but run {welcome.RunId} trains on {welcome.DataManifestHash}; give this worker the run's data, for example --data /data/mnist");
        }
    }

    // Judged before anything is changed: the replica stays what it was.
    private void Take(Checkpoint checkpoint, string source, long? step)
    {
        if (step is { } wanted && checkpoint.State.Step != wanted)
            throw new TensorFileException(source, $"is of step {checkpoint.State.Step}, not {wanted}");
        if (checkpoint.RunIdentity != Identity)
            throw new TensorFileException(source, $"belongs to run identity {checkpoint.RunIdentity}, not {Identity}");
        replica.Import(checkpoint.State);
    }

    private string? InitialHash() => initialWeights.Length == 0 ? null : WeightsHash.Compute(replica.Layout, replica.Export());
}
