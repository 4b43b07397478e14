using AdderNet.Core.Engine;
using AdderNet.Core.Models;

namespace AdderNet.Core.Layers;

/// <summary>max(x, 0) where no batch norm takes it along; over its own input where nothing else reads that.</summary>
internal sealed class ReluLayer(int index, ReluNode node, LayerContext context) : LocalLayer(index, context)
{
    public override StepPart Part => StepPart.Elementwise;

    public override void Forward(ShardTape tape) =>
        ElementPasses.Relu(tape.Output(node.Input), tape.Output(Index), tape.Samples * node.Out.Elements, Context.Threads);

    public override void Backward(ShardTape tape) =>
        ElementPasses.ReluGradient(tape.Output(Index), tape.OutputGradient(Index), tape.Samples * node.Out.Elements, Context.Threads);
}

/// <summary>
/// The sum of a block's body and its shortcut where no batch norm takes it along; its gradient is both inputs' gradient, which
/// the plan passes on.
/// </summary>
internal sealed class JoinLayer(int index, JoinNode node, LayerContext context) : LocalLayer(index, context)
{
    public override StepPart Part => StepPart.Elementwise;

    public override bool CanOverflow => true;

    public override void Forward(ShardTape tape) => ElementPasses.Add(
        tape.Output(node.Input), tape.Output(node.Shortcut), tape.Output(Index), tape.Samples * node.Out.Elements, Context.Threads);

    public override void Backward(ShardTape tape)
    {
    }
}
