namespace AdderNet.Core.Layers;

/// <summary>What becomes of a gradient that a node computed for one of its inputs.</summary>
internal enum Contribution
{
    /// <summary>It is copied to where the input's gradient is read, because another input keeps the buffer.</summary>
    Copy,

    /// <summary>It is added to what other readers of the input have left there.</summary>
    Add,
}

/// <summary>A node's gradient for one input: computed in slot <paramref name="From"/>, wanted in slot <paramref name="To"/>.</summary>
/// <param name="From">Slot with the contribution.</param>
/// <param name="To">Slot of the input's gradient.</param>
/// <param name="Length">Floats, a sample.</param>
/// <param name="How">What is done.</param>
internal readonly record struct GradientFlow(int From, int To, int Length, Contribution How);

/// <summary>The backward pass of one layer.</summary>
/// <param name="OutputSlot">Slot that holds the gradient of the layer's output.</param>
/// <param name="AddedSlot">Slot with what another reader of the output contributes, which the layer's pass adds as it reads; -1: none.</param>
/// <param name="InputSlot">Slot that the layer writes the gradient of its input to (the same one for layers that work in place); -1: none is wanted.</param>
/// <param name="Flows">What happens then, in order.</param>
internal sealed record BackwardPlan(int OutputSlot, int AddedSlot, int InputSlot, IReadOnlyList<GradientFlow> Flows);
