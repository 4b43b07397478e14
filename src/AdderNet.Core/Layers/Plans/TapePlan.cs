using AdderNet.Core.Models;

namespace AdderNet.Core.Layers;

/// <summary>
/// Which buffers a step needs, worked out once by walking through it. A batch norm with the join and ReLU behind it is one
/// layer with one output. Outputs that a backward pass reads stay until then; everything else, gradients too, shares slots
/// that are free again after their last reader.
/// </summary>
internal sealed class TapePlan
{
    private const int None = -1;
    private readonly IReadOnlyList<ModelNode> nodes;
    private readonly SlotPool pool = new();
    private readonly int[] readers;
    private readonly int[] lastUse;
    private readonly List<int>[] expiring;
    private readonly List<int> layers = [];

    /// <summary>For each node the slot of its output's gradient and that of a contribution still to be added, as far as the plan has come backward.</summary>
    private readonly int[] gradients;
    private readonly int[] added;

    public TapePlan(IReadOnlyList<ModelNode> nodes)
    {
        this.nodes = nodes;
        readers = new int[nodes.Count];
        foreach (var node in nodes)
        {
            foreach (var input in Inputs(node).Where(i => i >= 0))
                readers[input]++;
        }

        gradients = [.. nodes.Select(_ => None)];
        added = [.. nodes.Select(_ => None)];
        OutputSlots = new int[nodes.Count];
        Tails = new NormTailPlan?[nodes.Count];
        Backward = new BackwardPlan[nodes.Count];
        for (var i = 0; i < nodes.Count; i = Last(i) + 1)
        {
            layers.Add(i);
            if (nodes[i] is BatchNormNode)
                Tails[i] = NormTailPlan.Of(nodes, i, readers);
        }

        // Time runs forward over the layers, then the loss, then backward over the layers.
        expiring = new List<int>[2 * layers.Count + 1];
        for (var t = 0; t < expiring.Length; t++)
            expiring[t] = [];
        lastUse = LastUses();
        PlanForward();
        PlanBackward();
    }

    /// <summary>The first node of each layer, in order.</summary>
    public IReadOnlyList<int> Layers => layers;

    /// <summary>For each batch norm what its passes take along.</summary>
    public NormTailPlan?[] Tails { get; }

    /// <summary>For each node the slot of its output; nodes within a layer have the layer's.</summary>
    public int[] OutputSlots { get; }

    /// <summary>The backward pass of each node's layer.</summary>
    public BackwardPlan[] Backward { get; }

    /// <summary>Floats of each slot, a sample.</summary>
    public IReadOnlyList<int> SlotLengths => pool.Lengths;

    /// <summary>Bytes of slots and max pools' winners, a sample.</summary>
    public long BytesPerSample =>
        sizeof(float) * pool.Lengths.Sum(l => (long)l) + sizeof(int) * nodes.OfType<MaxPoolNode>().Sum(n => (long)n.Out.Elements);

    private static IEnumerable<int> Inputs(ModelNode node) => node is JoinNode join ? [join.Input, join.Shortcut] : [node.Input];

    private int Last(int first) => Tails[first]?.Last ?? first;

    /// <summary>What a layer reads forward.</summary>
    private IEnumerable<int> Reads(int first) =>
        Tails[first] is { Joins: true } tail ? [nodes[first].Input, tail.Other] : Inputs(nodes[first]);

    /// <summary>Elementwise layers may write over an input that nothing reads any more.</summary>
    private bool MayOverwrite(int first) => nodes[first] is ReluNode or JoinNode or BatchNormNode;

    private int[] LastUses()
    {
        var uses = new int[nodes.Count];
        for (var l = 0; l < layers.Count; l++)
        {
            var (first, forward, backward) = (layers[l], l, 2 * layers.Count - l);
            var last = Last(first);
            uses[last] = forward;
            foreach (var input in Reads(first).Where(i => i >= 0))
                uses[input] = Math.Max(uses[input], forward);
            var readsInput = nodes[first] is ConvolutionNode or BatchNormNode;
            if (readsInput && nodes[first].Input >= 0)
                uses[nodes[first].Input] = Math.Max(uses[nodes[first].Input], backward);
            if (nodes[first] is ReluNode || Tails[first] is { Joins: true, Rectifies: true })
                uses[last] = backward;
        }

        uses[nodes.Count - 1] = Math.Max(uses[nodes.Count - 1], layers.Count);
        return uses;
    }

    private void PlanForward()
    {
        for (var l = 0; l < layers.Count; l++)
        {
            var (first, last) = (layers[l], Last(layers[l]));
            if (MayOverwrite(first))
                Expire(l);
            var slot = pool.Take(nodes[last].Out.Elements);
            for (var node = first; node <= last; node++)
                OutputSlots[node] = slot;
            expiring[lastUse[last]].Add(slot);
            Expire(l);
        }

        // The logits are read with the gradient of the loss beside them: they expire in PlanBackward.
    }

    private void Expire(int time)
    {
        foreach (var slot in expiring[time])
            pool.Release(slot);
        expiring[time].Clear();
    }

    private void PlanBackward()
    {
        gradients[^1] = pool.Take(nodes[^1].Out.Elements);
        Expire(layers.Count);
        for (var l = layers.Count - 1; l >= 0; l--)
        {
            var (first, last) = (layers[l], Last(layers[l]));
            var plan = nodes[first] switch
            {
                BatchNormNode when Tails[first] is { Joins: true, Other: >= 0 } tail => PlanJoinedNorm(first, tail),
                JoinNode join => PlanJoin(join, gradients[last]),
                BatchNormNode or ReluNode => PlanInPlace(first, gradients[last]),
                _ => PlanOther(first, gradients[last]),
            };
            for (var node = first; node <= last; node++)
                Backward[node] = plan;
            Expire(2 * layers.Count - l);
        }
    }

    private BackwardPlan PlanOther(int first, int output)
    {
        var node = nodes[first];
        var input = node.Input < 0 ? None : pool.Take(node.In.Elements);
        List<GradientFlow> flows = [];
        if (input != None)
            HandOver(node.Input, input, flows);
        pool.Release(output);
        return new BackwardPlan(output, None, input, flows);
    }

    private BackwardPlan PlanInPlace(int first, int slot)
    {
        List<GradientFlow> flows = [];
        if (nodes[first].Input >= 0)
            HandOver(nodes[first].Input, slot, flows);
        else
            pool.Release(slot);
        return new BackwardPlan(slot, None, slot, flows);
    }

    /// <summary>The output's gradient, closed where the ReLU is, is the other input's too, so the norm writes its input's elsewhere.</summary>
    private BackwardPlan PlanJoinedNorm(int first, NormTailPlan tail)
    {
        var output = gradients[tail.Last];

        // The contribution is read as the sums are taken, before the input's gradient is written: one slot can serve both.
        if (added[tail.Last] != None)
            pool.Release(added[tail.Last]);
        var input = pool.Take(nodes[first].Out.Elements);
        List<GradientFlow> flows = [];
        HandOver(tail.Other, output, flows);
        if (nodes[first].Input >= 0)
            HandOver(nodes[first].Input, input, flows);
        else
            pool.Release(input);
        return new BackwardPlan(output, added[tail.Last], input, flows);
    }

    private BackwardPlan PlanJoin(JoinNode join, int output)
    {
        List<GradientFlow> flows = [];
        if (join.Shortcut >= 0)
        {
            if (gradients[join.Shortcut] == None)
            {
                gradients[join.Shortcut] = pool.Take(join.Out.Elements);
                flows.Add(new GradientFlow(output, gradients[join.Shortcut], join.Out.Elements, Contribution.Copy));
            }
            else
            {
                AddPending(join.Shortcut, flows);
                flows.Add(new GradientFlow(output, gradients[join.Shortcut], join.Out.Elements, Contribution.Add));
            }
        }

        if (join.Input >= 0)
            HandOver(join.Input, output, flows);
        else
            pool.Release(output);
        return new BackwardPlan(output, None, output, flows);
    }

    /// <summary>A gradient in a slot becomes the target's, or is added to what the target has: by the target's own pass where that stores the gradient anyway.</summary>
    private void HandOver(int target, int slot, List<GradientFlow> flows)
    {
        if (gradients[target] == None)
        {
            gradients[target] = slot;
            return;
        }

        AddPending(target, flows);
        if (Tails.Any(tail => tail is { Joins: true, Other: >= 0, Rectifies: true } && tail.Last == target))
        {
            added[target] = slot;
            return;
        }

        flows.Add(new GradientFlow(slot, gradients[target], nodes[target].Out.Elements, Contribution.Add));
        pool.Release(slot);
    }

    /// <summary>What was left to the target's pass is added before anything else comes: contributions keep their order.</summary>
    private void AddPending(int target, List<GradientFlow> flows)
    {
        if (added[target] == None)
            return;
        flows.Add(new GradientFlow(added[target], gradients[target], nodes[target].Out.Elements, Contribution.Add));
        pool.Release(added[target]);
        added[target] = None;
    }
}
