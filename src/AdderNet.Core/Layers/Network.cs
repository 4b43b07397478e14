using System.Runtime.CompilerServices;
using AdderNet.Core.Configuration;
using AdderNet.Core.Engine;
using AdderNet.Core.Layers.Quantization;
using AdderNet.Core.Models;
using AdderNet.Core.Sharding;

namespace AdderNet.Core.Layers;

/// <summary>A model's layers over one replica's weights, and the order in which a step runs them.</summary>
internal sealed class Network
{
    private readonly ModelDescription model;
    private readonly LayerContext context;
    private readonly Layer[] layers;
    private readonly BinaryScratch scratch = new();
    private readonly MomentMeeting meeting = new();

    /// <summary>Whether each layer's output is searched for non-finite values after its forward pass.</summary>
    private readonly bool[] searched;

    /// <summary>The tensors of each layer in the reduction vector, with the layer number that a non-finite value in them is noted under.</summary>
    private readonly List<(TensorSlot Gradient, int Layer)>[] gradients;
    private readonly List<(TensorSlot Statistic, int Layer)> statistics = [];

    public Network(ModelDescription model, TapePlan plan, GradientKind gradient, LayerContext context)
    {
        this.model = model;
        this.context = context;
        Plan = plan;
        layers = new Layer[plan.Layers.Count];
        gradients = new List<(TensorSlot, int)>[layers.Length];
        searched = new bool[layers.Length];
        var parameters = new Queue<TensorSlot>(model.Layout.Parameters.Select(p => p.Tensor));
        var moments = new Queue<TensorSlot>(model.Layout.Statistics);
        for (var i = 0; i < layers.Length; i++)
        {
            gradients[i] = [];
            layers[i] = Create(i, gradient, parameters, moments);
            searched[i] = layers[i].CanOverflow && !model.Nodes.Any(n => n is BatchNormNode && n.Input == layers[i].Last);
        }
    }

    public TapePlan Plan { get; }

    /// <summary>Forward with running statistics.</summary>
    public void Infer(ShardTape tape, CancellationToken cancellation)
    {
        foreach (var layer in layers)
        {
            cancellation.ThrowIfCancellationRequested();
            layer.Forward(tape);
        }
    }

    /// <summary>
    /// Forward and backward of one training step. All tapes pass each layer together; at a batch norm they meet each other
    /// and, through <paramref name="merge"/>, everyone else.
    /// </summary>
    /// <param name="tapes">Begun tapes of consecutive shards.</param>
    /// <param name="merge">Null: every shard normalises by its own moments.</param>
    /// <param name="progress">Called after every layer.</param>
    /// <param name="finishedFrom">Told, of the reduction vectors of all tapes, from which element on they are finished: first of statistics and loss, then after the backward pass of each layer that has parameters, down to 0.</param>
    /// <param name="cancellation">Ends the pass between layers.</param>
    /// <param name="counts">Receives each tape's counts.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask TrainAsync(
        List<ShardTape> tapes, IMomentMerge? merge, Action progress, Action<int> finishedFrom, StepCounts[] counts, CancellationToken cancellation)
    {
        var clock = context.Clock;
        meeting.Begin(merge, tapes.Count);
        clock?.Charge(StepPart.Samples);
        for (var i = 0; i < layers.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (layers[i] is BatchNormLayer norm)
            {
                for (var t = 0; t < tapes.Count; t++)
                    meeting.Bring(t, tapes[t].Shard, norm.Moments(tapes[t]));
                clock?.Charge(StepPart.Norm);
                await meeting.MeetAsync(MomentPass.Forward, cancellation).ConfigureAwait(false);
                clock?.Charge(StepPart.Exchange);
                for (var t = 0; t < tapes.Count; t++)
                    norm.Normalize(tapes[t], meeting.Result(t));
            }
            else
            {
                foreach (var tape in tapes)
                    layers[i].Forward(tape);
            }

            clock?.Charge(layers[i].Part);
            if (searched[i])
            {
                foreach (var tape in tapes)
                    SearchOutput(tape, layers[i].Last);
                clock?.Charge(StepPart.Search);
            }

            progress();
        }

        for (var t = 0; t < tapes.Count; t++)
            counts[t] = new StepCounts(tapes[t].Samples, JudgeLoss(tapes[t]), 0);
        clock?.Charge(StepPart.Loss);
        foreach (var tape in tapes)
            SearchStatistics(tape);
        clock?.Charge(StepPart.Search);
        finishedFrom(model.Layout.ParameterLength);
        clock?.Charge(StepPart.ShardSum);

        for (var i = layers.Length - 1; i >= 0; i--)
        {
            cancellation.ThrowIfCancellationRequested();
            if (layers[i] is BatchNormLayer norm)
            {
                for (var t = 0; t < tapes.Count; t++)
                    meeting.Bring(t, tapes[t].Shard, norm.GradientSums(tapes[t]));
                clock?.Charge(StepPart.Norm);
                await meeting.MeetAsync(MomentPass.Backward, cancellation).ConfigureAwait(false);
                clock?.Charge(StepPart.Exchange);
                for (var t = 0; t < tapes.Count; t++)
                    norm.InputGradient(tapes[t], meeting.Result(t));
            }
            else
            {
                foreach (var tape in tapes)
                    ((LocalLayer)layers[i]).Backward(tape);
            }

            clock?.Charge(layers[i].Part);
            foreach (var tape in tapes)
                PassOn(tape, layers[i].Index);
            clock?.Charge(StepPart.Elementwise);
            if (gradients[i].Count > 0)
            {
                foreach (var tape in tapes)
                    SearchGradients(tape, i);
                clock?.Charge(StepPart.Search);
                finishedFrom(gradients[i][0].Gradient.Offset);
                clock?.Charge(StepPart.ShardSum);
            }

            progress();
        }

        for (var t = 0; t < tapes.Count; t++)
            counts[t] = counts[t] with { FirstNonFinite = tapes[t].FirstNonFinite };
    }

    /// <summary>Loss and hits of a tape whose forward pass is done, without gradients; the loss is added to <paramref name="lossBefore"/>.</summary>
    public Verdict Judge(ShardTape tape, double lossBefore) =>
        SoftmaxCrossEntropy.Judge(Logits(tape), tape.Labels.AsSpan(0, tape.Samples), model.Classes, [], lossBefore);

    /// <summary>What each sample of a tape whose forward pass is done is taken for.</summary>
    public void Judge(ShardTape tape, Span<SampleVerdict> verdicts)
    {
        var logits = Logits(tape);
        for (var i = 0; i < tape.Samples; i++)
            verdicts[i] = SoftmaxCrossEntropy.JudgeSample(logits.Slice(i * model.Classes, model.Classes), tape.Labels[i]);
    }

    private int JudgeLoss(ShardTape tape)
    {
        var logits = Logits(tape);
        var gradient = tape.OutputGradient(model.Nodes.Count - 1).Span[..logits.Length];
        var verdict = SoftmaxCrossEntropy.Judge(logits, tape.Labels.AsSpan(0, tape.Samples), model.Classes, gradient);
        var loss = (float)(verdict.LossSum / tape.Samples);
        tape.Reduction[model.Layout.LossIndex] = loss;
        if (!float.IsFinite(loss))
            tape.NoteNonFinite(model.LossLayer);
        return verdict.Top1;
    }

    private Span<float> Logits(ShardTape tape) => tape.Output(model.Nodes.Count - 1).Span[..(tape.Samples * model.Classes)];

    /// <summary>Brings a layer's input gradients to where the inputs' other readers leave theirs.</summary>
    private void PassOn(ShardTape tape, int layer)
    {
        var flows = Plan.Backward[layer].Flows;
        for (var i = 0; i < flows.Count; i++)
        {
            var (from, to) = (tape.Slot(flows[i].From), tape.Slot(flows[i].To));
            var length = tape.Samples * flows[i].Length;
            if (flows[i].How == Contribution.Copy)
                ElementPasses.Copy(from, to, length, context.Threads);
            else
                ElementPasses.Add(to, from, to, length, context.Threads);
        }
    }

    private void SearchOutput(ShardTape tape, int node)
    {
        if (!ElementPasses.AllFinite(tape.Output(node), 0, tape.Samples * model.Nodes[node].Out.Elements, context.Threads))
            tape.NoteNonFinite(node);
    }

    /// <summary>While the layer's gradients are still this shard's alone.</summary>
    private void SearchGradients(ShardTape tape, int layer)
    {
        foreach (var (gradient, number) in gradients[layer])
            Search(tape, gradient.Offset, gradient.Length, number);
    }

    private void SearchStatistics(ShardTape tape)
    {
        foreach (var (statistic, number) in statistics)
            Search(tape, model.Layout.ParameterLength + statistic.Offset, statistic.Length, number);
    }

    private void Search(ShardTape tape, int offset, int length, int layer)
    {
        if (!ElementPasses.AllFinite(tape.Reduction, offset, length, context.Threads))
            tape.NoteNonFinite(layer);
    }

    private Layer Create(int place, GradientKind gradient, Queue<TensorSlot> parameters, Queue<TensorSlot> moments)
    {
        var index = Plan.Layers[place];
        switch (model.Nodes[index])
        {
            case ConvolutionNode { Method: LayerMethod.Adder } node:
                return new AdderLayer(index, node, Parameter(), gradient, context);
            case ConvolutionNode { Method: LayerMethod.Conv } node:
                return new MultiplyLayer(index, node, Parameter(), node.Bias ? Parameter() : null, context);
            case ConvolutionNode { Method: LayerMethod.Binary } node:
                return new BinaryConnectLayer(index, node, Parameter(), scratch, context);
            case ConvolutionNode { Method: LayerMethod.DoReFa } node:
                return new DoReFaLayer(index, node, Parameter(), scratch, context);
            case ConvolutionNode { Method: LayerMethod.Xnor } node:
                return new XnorLayer(index, node, Parameter(), scratch, context);
            case BatchNormNode node:
                return new BatchNormLayer(index, node, Plan.Tails[index]!, Parameter(), Parameter(), Statistic(), Statistic(), context);
            case ReluNode node:
                return new ReluLayer(index, node, context);
            case MaxPoolNode node:
                return new MaxPoolLayer(index, node, context);
            case GlobalAveragePoolNode node:
                return new GlobalAveragePoolLayer(index, node, context);
            case JoinNode node:
                return new JoinLayer(index, node, context);
            case var node:
                throw new ArgumentException($"The managed engine has no layer for {node}.");
        }

        TensorSlot Parameter()
        {
            var slot = parameters.Dequeue();
            gradients[place].Add((slot, model.GradientLayer(index)));
            return slot;
        }

        TensorSlot Statistic()
        {
            var slot = moments.Dequeue();
            statistics.Add((slot, index));
            return slot;
        }
    }
}
