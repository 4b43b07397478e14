using System.Runtime.CompilerServices;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Kernels;
using AdderNet.Core.Layers;
using AdderNet.Core.Models;
using AdderNet.Core.Optimization;
using AdderNet.Core.Sharding;

namespace AdderNet.Core.Engine;

/// <summary>The managed CPU engine: one copy of the model, trained by kernels that give the same bits on every machine.</summary>
public sealed class ManagedReplica : IReplica
{
    /// <summary>The engine's name, as it enters the run identity.</summary>
    public const string EngineName = "managed";

    private const double StatisticsMomentum = 0.1;
    private readonly TrainingOptions training;
    private readonly LearningRateSchedule schedule;
    private readonly MomentumSgd optimizer;
    private readonly float[] parameters;
    private readonly float[] momentum;
    private readonly float[] statistics;
    private readonly ComputeThreads threads;
    private readonly Network network;
    private readonly SubtreeAccumulator accumulator;
    private readonly List<ShardTape> tapes = [];
    private readonly List<ShardTape> begun = [];
    private readonly ReplicaComputation computation;
    private readonly TimeProvider time;
    private readonly StepClock? clock;
    private readonly Action<int> finishedFrom;
    private StepCounts[] counts = [];
    private IEarlySums? early;
    private IReadOnlyList<SubtreeSum> ahead = [];

    private ManagedReplica(ModelDescription model, TrainingOptions training, long stepsPerEpoch, int threads, TimeProvider time, StepClock? clock, IConvolutionKernels kernels)
    {
        this.training = training;
        this.time = time;
        this.clock = clock;
        Model = model;
        schedule = new LearningRateSchedule(training.Schedule, training.Optimizer.LearningRate, stepsPerEpoch);
        optimizer = new MomentumSgd(training.Optimizer, training.Gradient.Scaling);
        parameters = ParameterInitialization.Draw(model, training.Seed);
        momentum = new float[model.Layout.ParameterLength];
        statistics = ParameterInitialization.Statistics(model);
        this.threads = new ComputeThreads(threads);
        network = new Network(
            model, new TapePlan(model.Nodes), training.Gradient.Kind,
            new LayerContext(parameters, statistics, kernels, this.threads) { Clock = clock });
        accumulator = new SubtreeAccumulator(model.Layout.ReductionLength);
        computation = new ReplicaComputation(ComputeShardsAsync, accumulator.Result);
        finishedFrom = FinishedFrom;
    }

    /// <summary>The model as data, with the names of its layers.</summary>
    public ModelDescription Model { get; }

    /// <inheritdoc/>
    public ModelLayout Layout => Model.Layout;

    /// <inheritdoc/>
    public long AppliedStep { get; private set; }

    /// <summary>The threads that it computes with; between calls and in the progress callback others may use them.</summary>
    internal ComputeThreads Threads => threads;

    /// <summary>Builds the described model with initial weights.</summary>
    /// <param name="description">The run.</param>
    /// <param name="input">Shape of one sample.</param>
    /// <param name="stepsPerEpoch">floor(N / B), for the schedule.</param>
    /// <param name="threads">Threads to compute with, at least 1; they change no bit.</param>
    /// <param name="time">Clock of the duration metrics; it never reaches a result.</param>
    /// <exception cref="InvalidDescriptionException">The model cannot be built, or a batch norm would see a single value.</exception>
    public static ManagedReplica Create(
        RunDescription description, InputShape input, long stepsPerEpoch, int threads, TimeProvider? time = null) =>
        Create(ModelCatalog.Describe(description.Model, input), description.Training, stepsPerEpoch, threads, time);

    /// <summary>The same for a model that is not the description's.</summary>
    internal static ManagedReplica Create(
        RunDescription description, ModelDescription model, long stepsPerEpoch, int threads, TimeProvider? time = null) =>
        Create(model, description.Training, stepsPerEpoch, threads, time);

    /// <summary>The same for any model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="training">How to train it.</param>
    /// <param name="stepsPerEpoch">floor(N / B), for the schedule.</param>
    /// <param name="threads">Threads to compute with, at least 1.</param>
    /// <param name="time">Clock of the duration metrics.</param>
    /// <param name="clock">Takes the time of each part of a step.</param>
    /// <param name="kernels">The convolution passes; null: the fastest of this processor.</param>
    internal static ManagedReplica Create(
        ModelDescription model, TrainingOptions training, long stepsPerEpoch, int threads, TimeProvider? time = null,
        StepClock? clock = null, IConvolutionKernels? kernels = null)
    {
        RefuseSingleValues(training.Batch, model);
        return new ManagedReplica(model, training, stepsPerEpoch, threads, time ?? TimeProvider.System, clock, kernels ?? ConvolutionKernels.Best);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<SubtreeSum>> ComputeAsync(
        ShardRange range, IShardBatches batches, IMomentMerge moments, Action progress, IEarlySums? early, CancellationToken cancellation) =>
        computation.Start(new ComputeOrder(range, batches, moments, progress, early, cancellation));

    /// <inheritdoc/>
    public void Apply(ReadOnlySpan<float> mean, bool skip)
    {
        if (mean.Length != Layout.ReductionLength)
            throw new ArgumentException($"A step's mean has {mean.Length} elements, not {Layout.ReductionLength}.", nameof(mean));
        using var activity = EngineTelemetry.Activities.StartActivity("apply");
        var started = time.GetTimestamp();
        clock?.Skip();
        var step = AppliedStep + 1;
        if (!skip)
        {
            optimizer.Apply(Layout, parameters, momentum, mean[..Layout.ParameterLength], schedule.At(step), threads);
            var batchStatistics = mean.Slice(Layout.ParameterLength, Layout.StatisticsLength);
            for (var i = 0; i < statistics.Length; i++)
                statistics[i] = (float)((1 - StatisticsMomentum) * statistics[i] + StatisticsMomentum * batchStatistics[i]);
        }

        AppliedStep = step;
        clock?.Charge(StepPart.Optimizer);
        EngineTelemetry.ApplySeconds.Record(time.GetElapsedTime(started).TotalSeconds);
    }

    /// <inheritdoc/>
    public EvaluationSums Evaluate(SampleBatch batch, CancellationToken cancellation) => Evaluate(batch, [], cancellation);

    /// <summary>The same, saying of each sample what it is taken for.</summary>
    /// <param name="batch">Consecutive samples.</param>
    /// <param name="verdicts">Receives one for each sample; empty: not wanted.</param>
    /// <param name="cancellation">Ends it.</param>
    public EvaluationSums Evaluate(SampleBatch batch, Span<SampleVerdict> verdicts, CancellationToken cancellation)
    {
        var tape = Tape(0);
        var sums = new EvaluationSums(batch.Count, 0, 0, 0);
        for (var first = 0; first < batch.Count; first += tape.Capacity)
        {
            var count = Math.Min(tape.Capacity, batch.Count - first);
            var images = batch.Images.Slice(first * Model.Input.Elements, count * Model.Input.Elements);
            tape.Begin(new SampleBatch(images, batch.Labels.Slice(first, count), count), shard: 0, reduction: []);
            network.Infer(tape, cancellation);
            var verdict = network.Judge(tape, sums.LossSum);
            if (!verdicts.IsEmpty)
                network.Judge(tape, verdicts.Slice(first, count));
            sums = sums with { Top1 = sums.Top1 + verdict.Top1, Top5 = sums.Top5 + verdict.Top5, LossSum = verdict.LossSum };
        }

        return sums;
    }

    /// <inheritdoc/>
    public ReplicaState Export(ReplicaState? reuse = null)
    {
        return new ReplicaState(AppliedStep, Copy(parameters, reuse?.Parameters), Copy(momentum, reuse?.Momentum), Copy(statistics, reuse?.Statistics));

        static float[] Copy(float[] from, float[]? to)
        {
            to ??= GC.AllocateUninitializedArray<float>(from.Length);
            from.CopyTo(to, 0);
            return to;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The state is another model's; nothing is changed.</exception>
    public void Import(ReplicaState state)
    {
        if (state.Parameters.Length != parameters.Length || state.Momentum.Length != momentum.Length || state.Statistics.Length != statistics.Length)
        {
            throw new ArgumentException(
                $"A state of {state.Parameters.Length} parameters, {state.Momentum.Length} momenta and {state.Statistics.Length} statistics "
                + $"does not fit a model of {parameters.Length} and {statistics.Length}.", nameof(state));
        }

        // The layers hold these arrays: they are filled, not exchanged.
        state.Parameters.CopyTo(parameters, 0);
        state.Momentum.CopyTo(momentum, 0);
        state.Statistics.CopyTo(statistics, 0);
        AppliedStep = state.Step;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        computation.Dispose();
        threads.Dispose();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ComputeShardsAsync(ComputeOrder order)
    {
        var range = order.Range;
        using var activity = EngineTelemetry.Activities.StartActivity("compute");
        activity?.SetTag("addernet.step", AppliedStep + 1).SetTag("addernet.shards", range.ToString());
        var started = time.GetTimestamp();
        clock?.Skip();
        accumulator.Reset(range);
        var global = training.Batch.Normalization == Normalization.Global;
        var together = global ? Math.Max(range.Count, 1) : 1;
        for (var first = range.First; first < range.End; first += together)
            await ComputeTogetherAsync(first, first + together, global ? order.Moments : null, order).ConfigureAwait(false);
        EngineTelemetry.Samples.Add((long)range.Count * training.Batch.ShardSize);
        EngineTelemetry.ComputeSeconds.Record(time.GetElapsedTime(started).TotalSeconds);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ComputeTogetherAsync(int first, int end, IMomentMerge? merge, ComputeOrder order)
    {
        begun.Clear();
        for (var shard = first; shard < end; shard++)
        {
            var batch = await order.Batches.GetAsync(AppliedStep + 1, shard, order.Cancellation).ConfigureAwait(false);
            var tape = Tape(shard - first);
            begun.Add(tape);
            tape.Begin(batch, shard, accumulator.Begin(shard));
        }

        if (counts.Length < begun.Count)
            counts = new StepCounts[begun.Count];
        early = accumulator.EndsRange ? order.Early : null;
        ahead = early is null ? [] : accumulator.Ahead();
        await network.TrainAsync(begun, merge, order.Progress, finishedFrom, counts, order.Cancellation).ConfigureAwait(false);
        accumulator.Complete(counts.AsSpan(0, begun.Count));
    }

    /// <summary>While they are still in the cache, gradients are added to those of the shards before.</summary>
    private void FinishedFrom(int from)
    {
        accumulator.AddFrom(from);
        early?.FinalFrom(ahead, from);
    }

    private ShardTape Tape(int index)
    {
        while (tapes.Count <= index)
            tapes.Add(new ShardTape(Model, network.Plan, training.Batch.ShardSize));
        return tapes[index];
    }

    private static void RefuseSingleValues(BatchOptions batch, ModelDescription model)
    {
        var samples = batch.Normalization == Normalization.Global ? batch.Global : batch.ShardSize;
        if (model.Nodes.FirstOrDefault(n => n is BatchNormNode && (long)samples * n.Out.Pixels < 2) is { } node)
        {
            throw InvalidDescriptionException.OfKey(
                "run description", "batch.global", $"{batch.Global}", $"leaves {node.Name} a single value of each channel to normalise over",
                $"batch.global: {2 * batch.Shards}");
        }
    }
}
