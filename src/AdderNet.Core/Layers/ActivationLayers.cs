using AdderNet.Core.Models;

namespace AdderNet.Core.Layers;

/// <summary>max(x, 0), usually over its own input.</summary>
internal sealed class ReluLayer(int index, ReluNode node, LayerContext context) : LocalLayer(index, context)
{
    public override void Forward(ShardTape tape)
    {
        var (x, y) = (tape.Output(node.Input), tape.Output(Index));
        Context.Threads.Split(tape.Samples * node.Out.Elements, (first, end) =>
            ElementLoops.Relu(x.AsSpan(first, end - first), y.AsSpan(first, end - first)));
    }

    public override void Backward(ShardTape tape)
    {
        var (y, g) = (tape.Output(Index), tape.OutputGradient(Index));
        Context.Threads.Split(tape.Samples * node.Out.Elements, (first, end) =>
            ElementLoops.ReluGradient(y.AsSpan(first, end - first), g.AsSpan(first, end - first)));
    }
}

/// <summary>The sum of a block's body and its shortcut; its gradient is both inputs' gradient, which the plan passes on.</summary>
internal sealed class JoinLayer(int index, JoinNode node, LayerContext context) : LocalLayer(index, context)
{
    public override bool CanOverflow => true;

    public override void Forward(ShardTape tape)
    {
        var (body, shortcut, y) = (tape.Output(node.Input), tape.Output(node.Shortcut), tape.Output(Index));
        Context.Threads.Split(tape.Samples * node.Out.Elements, (first, end) =>
            ElementLoops.Add(body.AsSpan(first, end - first), shortcut.AsSpan(first, end - first), y.AsSpan(first, end - first)));
    }

    public override void Backward(ShardTape tape)
    {
    }
}
