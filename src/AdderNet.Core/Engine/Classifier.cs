using AdderNet.Core.Checkpoints;
using AdderNet.Core.Configuration;
using AdderNet.Core.Kernels;
using AdderNet.Core.Layers;
using AdderNet.Core.Models;
using AdderNet.Core.Numerics;

namespace AdderNet.Core.Engine;

/// <summary>What a classifier takes an image for.</summary>
/// <param name="Class">The class of the largest logit, the lowest on ties.</param>
/// <param name="Probability">Its softmax, 0 to 1.</param>
public readonly record struct Prediction(int Class, double Probability);

/// <summary>Trained weights at work on single images. Calls are made one at a time.</summary>
public sealed class Classifier : IDisposable
{
    private readonly ModelDescription model;
    private readonly ComputeThreads threads;
    private readonly Network network;
    private readonly ShardTape tape;

    /// <summary>Puts weights to work.</summary>
    /// <param name="model">The model.</param>
    /// <param name="weights">Its parameters and running statistics, such as <see cref="WeightsFile.Load"/> gives; copied.</param>
    /// <param name="threads">Threads to compute with, at least 1; they change no bit.</param>
    /// <exception cref="ArgumentException">The weights are another model's.</exception>
    public Classifier(ModelDescription model, ReplicaState weights, int threads = 1)
    {
        if (weights.Parameters.Length != model.Layout.ParameterLength || weights.Statistics.Length != model.Layout.StatisticsLength)
            throw new ArgumentException($"{weights.Parameters.Length} parameters and {weights.Statistics.Length} statistics do not fit {model.Name}, which has {model.Layout.ParameterLength} and {model.Layout.StatisticsLength}.", nameof(weights));
        this.model = model;
        this.threads = new ComputeThreads(threads);
        var context = new LayerContext((float[])weights.Parameters.Clone(), (float[])weights.Statistics.Clone(), ConvolutionKernels.Best, this.threads);
        network = new Network(model, new TapePlan(model.Nodes), GradientKind.Full, context);
        tape = new ShardTape(model, network.Plan, capacity: 1);
    }

    /// <summary>The classifier's outputs before softmax.</summary>
    /// <param name="image">H*W*C values, channels last, normalised as in training.</param>
    /// <exception cref="ArgumentException">The image has another size.</exception>
    public float[] Logits(ReadOnlyMemory<float> image)
    {
        if (image.Length != model.Input.Elements)
            throw new ArgumentException($"The image has {image.Length} values, not {model.Input.Height} x {model.Input.Width} x {model.Input.Channels}.", nameof(image));
        tape.Begin(new SampleBatch(image, new int[1], 1), shard: 0, reduction: []);
        network.Infer(tape, CancellationToken.None);
        return tape.Output(model.Nodes.Count - 1).Span[..model.Classes].ToArray();
    }

    /// <summary>The most likely class of an image.</summary>
    /// <param name="image">H*W*C values, channels last, normalised as in training.</param>
    /// <exception cref="ArgumentException">The image has another size.</exception>
    public Prediction Classify(ReadOnlyMemory<float> image)
    {
        var logits = Logits(image);
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
            best = logits[i] > logits[best] ? i : best;
        var total = 0.0;
        foreach (var logit in logits)
            total += DeterministicMath.Exp((double)logit - logits[best]);
        return new Prediction(best, 1 / total);
    }

    /// <summary>Ends the compute threads.</summary>
    public void Dispose() => threads.Dispose();
}
