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

    /// <summary>Each tensor of the reduction vector with the layer number that a non-finite value in it is noted under, in the order of a step.</summary>
    private readonly List<(int Offset, int Length, int Layer)> noted = [];

    public Network(ModelDescription model, TapePlan plan, GradientKind gradient, LayerContext context)
    {
        this.model = model;
        this.context = context;
        Plan = plan;
        layers = new Layer[model.Nodes.Count];
        var parameters = new Queue<TensorSlot>(model.Layout.Parameters.Select(p => p.Tensor));
        var statistics = new Queue<TensorSlot>(model.Layout.Statistics);
        for (var i = 0; i < layers.Length; i++)
            layers[i] = Create(i, gradient, parameters, statistics);
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
    /// <param name="cancellation">Ends the pass between layers.</param>
    /// <returns>Each tape's counts.</returns>
    public async Task<StepCounts[]> TrainAsync(
        IReadOnlyList<ShardTape> tapes, IMomentMerge? merge, Action progress, CancellationToken cancellation)
    {
        var meeting = 0;
        foreach (var layer in layers)
        {
            cancellation.ThrowIfCancellationRequested();
            if (layer is BatchNormLayer norm)
            {
                var own = tapes.Select(norm.Moments).ToArray();
                var shared = await MeetAsync(MomentPass.Forward, own).ConfigureAwait(false);
                for (var i = 0; i < tapes.Count; i++)
                    norm.Normalize(tapes[i], shared ?? own[i]);
            }
            else
            {
                foreach (var tape in tapes)
                    layer.Forward(tape);
            }

            if (layer.CanOverflow)
            {
                foreach (var tape in tapes)
                    SearchOutput(tape, layer.Index);
            }

            progress();
        }

        var correct = tapes.Select(JudgeLoss).ToArray();

        for (var i = layers.Length - 1; i >= 0; i--)
        {
            cancellation.ThrowIfCancellationRequested();
            if (layers[i] is BatchNormLayer norm)
            {
                var own = tapes.Select(norm.GradientSums).ToArray();
                var shared = await MeetAsync(MomentPass.Backward, own).ConfigureAwait(false);
                for (var t = 0; t < tapes.Count; t++)
                    norm.InputGradient(tapes[t], shared ?? own[t]);
            }
            else
            {
                foreach (var tape in tapes)
                    ((LocalLayer)layers[i]).Backward(tape);
            }

            foreach (var tape in tapes)
                PassOn(tape, i);
            progress();
        }

        foreach (var tape in tapes)
            SearchReduction(tape);
        return [.. tapes.Select((tape, i) => new StepCounts(tape.Samples, correct[i], tape.FirstNonFinite))];

        async ValueTask<double[]?> MeetAsync(MomentPass pass, double[][] own)
        {
            if (merge is null)
                return null;
            var mine = MomentTree.Reduce(own.Select((values, i) => new MomentNode(new TreeNodeId(0, tapes[i].Shard), values)), pass);
            return await merge.MergeAsync(meeting++, pass, mine, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Loss and hits of a tape whose forward pass is done, without gradients; the loss is added to <paramref name="lossBefore"/>.</summary>
    public Verdict Judge(ShardTape tape, double lossBefore) => SoftmaxCrossEntropy.Judge(
        tape.Output(layers.Length - 1).AsSpan(0, tape.Samples * model.Classes),
        tape.Labels.AsSpan(0, tape.Samples), model.Classes, [], lossBefore);

    /// <summary>What each sample of a tape whose forward pass is done is taken for.</summary>
    public void Judge(ShardTape tape, Span<SampleVerdict> verdicts)
    {
        var logits = tape.Output(layers.Length - 1);
        for (var i = 0; i < tape.Samples; i++)
            verdicts[i] = SoftmaxCrossEntropy.JudgeSample(logits.AsSpan(i * model.Classes, model.Classes), tape.Labels[i]);
    }

    private int JudgeLoss(ShardTape tape)
    {
        var logits = tape.Output(layers.Length - 1).AsSpan(0, tape.Samples * model.Classes);
        var gradient = tape.OutputGradient(layers.Length - 1).AsSpan(0, logits.Length);
        var verdict = SoftmaxCrossEntropy.Judge(logits, tape.Labels.AsSpan(0, tape.Samples), model.Classes, gradient);
        var loss = (float)(verdict.LossSum / tape.Samples);
        tape.Reduction[model.Layout.LossIndex] = loss;
        if (!float.IsFinite(loss))
            tape.NoteNonFinite(model.LossLayer);
        return verdict.Top1;
    }

    /// <summary>Brings a node's input gradient to where the input's other readers leave theirs.</summary>
    private void PassOn(ShardTape tape, int node)
    {
        foreach (var flow in Plan.Backward[node].Flows)
        {
            if (flow.How == Contribution.InPlace)
                continue;
            var (from, to) = (tape.Slot(flow.From), tape.Slot(flow.To));
            context.Threads.Split(tape.Samples * model.Nodes[node].In.Elements, (first, end) =>
            {
                var part = from.AsSpan(first, end - first);
                var sum = to.AsSpan(first, end - first);
                if (flow.How == Contribution.Copy)
                    part.CopyTo(sum);
                else
                    ElementLoops.Add(sum, part, sum);
            });
        }
    }

    private void SearchOutput(ShardTape tape, int layer)
    {
        var output = tape.Output(layer);
        var found = false;
        context.Threads.Split(tape.Samples * model.Nodes[layer].Out.Elements, (first, end) =>
        {
            if (!ElementLoops.AllFinite(output.AsSpan(first, end - first)))
                Volatile.Write(ref found, true);
        });
        if (found)
            tape.NoteNonFinite(layer);
    }

    private void SearchReduction(ShardTape tape)
    {
        if (ElementLoops.AllFinite(tape.Reduction))
            return;
        foreach (var (offset, length, layer) in noted)
        {
            if (!ElementLoops.AllFinite(tape.Reduction.AsSpan(offset, length)))
                tape.NoteNonFinite(layer);
        }
    }

    private Layer Create(int index, GradientKind gradient, Queue<TensorSlot> parameters, Queue<TensorSlot> statistics)
    {
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
                return new BatchNormLayer(index, node, Parameter(), Parameter(), Statistic(), Statistic(), context);
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
            noted.Add((slot.Offset, slot.Length, model.GradientLayer(index)));
            return slot;
        }

        TensorSlot Statistic()
        {
            var slot = statistics.Dequeue();
            noted.Add((model.Layout.ParameterLength + slot.Offset, slot.Length, index));
            return slot;
        }
    }
}
