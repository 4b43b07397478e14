using AdderNet.Core.Models;

namespace AdderNet.Core.Layers;

/// <summary>What becomes of a gradient that a node computed for one of its inputs.</summary>
internal enum Contribution
{
    /// <summary>It lies where the input's gradient is read.</summary>
    InPlace,

    /// <summary>It is copied there, because another input keeps the buffer.</summary>
    Copy,

    /// <summary>It is added to what other readers of the input have left there.</summary>
    Add,
}

/// <summary>A node's gradient for one input: computed in slot <paramref name="From"/>, wanted in slot <paramref name="To"/>.</summary>
internal readonly record struct GradientFlow(int From, int To, Contribution How);

/// <summary>The backward pass of one node.</summary>
/// <param name="OutputSlot">Slot that holds the gradient of the node's output.</param>
/// <param name="InputSlot">Slot that the layer writes the gradient of its input to (the same one for layers that work in place); -1: none is wanted.</param>
/// <param name="Flows">What happens then, in order.</param>
internal sealed record BackwardPlan(int OutputSlot, int InputSlot, IReadOnlyList<GradientFlow> Flows);

/// <summary>
/// Which buffers a step needs, worked out once. Outputs stay until the backward pass, except that ReLU and join overwrite
/// their input where no backward pass reads it; gradients live in slots that are free again after their last reader.
/// </summary>
internal sealed class TapePlan
{
    private readonly IReadOnlyList<ModelNode> nodes;
    private readonly List<int> slotLengths = [];
    private readonly List<bool> slotFree = [];

    public TapePlan(IReadOnlyList<ModelNode> nodes)
    {
        this.nodes = nodes;
        Storage = PlanStorage(nodes);
        Backward = new BackwardPlan[nodes.Count];
        PlanBackward();
    }

    /// <summary>For each node the node whose buffer holds its output: itself, or the one it overwrites.</summary>
    public int[] Storage { get; }

    /// <summary>The backward pass of each node.</summary>
    public BackwardPlan[] Backward { get; }

    /// <summary>Floats of each gradient slot, a sample.</summary>
    public IReadOnlyList<int> SlotLengths => slotLengths;

    /// <summary>Bytes of outputs, gradients and max pools' winners, a sample.</summary>
    public long BytesPerSample =>
        sizeof(float) * (nodes.Where((_, i) => Storage[i] == i).Sum(n => (long)n.Out.Elements) + slotLengths.Sum(l => (long)l))
        + sizeof(int) * nodes.OfType<MaxPoolNode>().Sum(n => (long)n.Out.Elements);

    private static int[] PlanStorage(IReadOnlyList<ModelNode> nodes)
    {
        var readers = new int[nodes.Count];
        foreach (var node in nodes)
        {
            if (node.Input >= 0)
                readers[node.Input]++;
            if (node is JoinNode { Shortcut: >= 0 } join)
                readers[join.Shortcut]++;
        }

        var storage = new int[nodes.Count];
        for (var i = 0; i < nodes.Count; i++)
        {
            var input = nodes[i].Input;
            // A batch norm's and a join's backward pass do not read what they put out.
            var overwrites = nodes[i] is ReluNode or JoinNode && input >= 0 && readers[input] == 1 && nodes[input] is BatchNormNode or JoinNode;
            storage[i] = overwrites ? storage[input] : i;
        }

        return storage;
    }

    private void PlanBackward()
    {
        var slots = new int[nodes.Count];
        Array.Fill(slots, -1);
        slots[^1] = Take(nodes[^1].Out.Elements);
        for (var i = nodes.Count - 1; i >= 0; i--)
        {
            var node = nodes[i];
            var output = slots[i];
            var flows = new List<GradientFlow>();
            if (node is JoinNode { Shortcut: >= 0 } join)
                flows.Add(Flow(slots, join.Shortcut, output, keepsBuffer: false));

            var inPlace = node is ReluNode or BatchNormNode or JoinNode;
            var input = node.Input < 0 ? -1 : inPlace ? output : Take(node.In.Elements);
            if (input >= 0)
            {
                var flow = Flow(slots, node.Input, input, keepsBuffer: true);
                flows.Add(flow);
                if (flow.How != Contribution.InPlace)
                    slotFree[input] = true;
            }

            if (!inPlace || input < 0)
                slotFree[output] = true;
            Backward[i] = new BackwardPlan(output, input, flows);
        }
    }

    private GradientFlow Flow(int[] slots, int target, int from, bool keepsBuffer)
    {
        if (slots[target] >= 0)
            return new GradientFlow(from, slots[target], Contribution.Add);
        slots[target] = keepsBuffer ? from : Take(nodes[target].Out.Elements);
        return new GradientFlow(from, slots[target], keepsBuffer ? Contribution.InPlace : Contribution.Copy);
    }

    /// <summary>The smallest free slot that is large enough, else the largest free one made larger, else a new one.</summary>
    private int Take(int length)
    {
        var best = -1;
        for (var i = 0; i < slotLengths.Count; i++)
        {
            if (!slotFree[i])
                continue;
            var better = best < 0 || (slotLengths[best] < length
                ? slotLengths[i] > slotLengths[best]
                : slotLengths[i] >= length && slotLengths[i] < slotLengths[best]);
            if (better)
                best = i;
        }

        if (best < 0)
        {
            slotLengths.Add(length);
            slotFree.Add(false);
            return slotLengths.Count - 1;
        }

        slotLengths[best] = Math.Max(slotLengths[best], length);
        slotFree[best] = false;
        return best;
    }
}
