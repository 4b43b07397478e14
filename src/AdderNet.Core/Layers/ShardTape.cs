using AdderNet.Core.Engine;
using AdderNet.Core.Kernels;
using AdderNet.Core.Layers.Normalization;
using AdderNet.Core.Models;
using AdderNet.Core.Sharding;

namespace AdderNet.Core.Layers;

/// <summary>What one shard's forward pass leaves for its backward pass, in buffers that are made once and reused every step.</summary>
internal sealed class ShardTape
{
    private readonly ModelDescription model;
    private readonly TapePlan plan;
    private readonly Memory<float> images;
    private readonly int[]?[] winners;
    private readonly NormState?[] norms;
    private readonly Memory<float>[] slots;

    /// <param name="model">The model.</param>
    /// <param name="plan">Its buffers.</param>
    /// <param name="capacity">Most samples of one pass.</param>
    public ShardTape(ModelDescription model, TapePlan plan, int capacity)
    {
        this.model = model;
        this.plan = plan;
        Capacity = capacity;
        images = Pinned.Lines(checked(capacity * model.Input.Elements));
        winners = new int[]?[model.Nodes.Count];
        norms = new NormState?[model.Nodes.Count];
        slots = new Memory<float>[plan.SlotLengths.Count];
        Labels = new int[capacity];
    }

    /// <summary>Most samples of one pass.</summary>
    public int Capacity { get; }

    /// <summary>Samples of this pass.</summary>
    public int Samples { get; private set; }

    /// <summary>The shard of this pass.</summary>
    public int Shard { get; private set; }

    /// <summary>Class of each sample.</summary>
    public int[] Labels { get; }

    /// <summary>Where this pass leaves gradients and statistics, laid out as the reduction vector.</summary>
    public float[] Reduction { get; private set; } = [];

    /// <summary>The first non-finite value as <see cref="StepCounts.FirstNonFinite"/> counts it; 0: none.</summary>
    public long FirstNonFinite { get; private set; }

    /// <summary>Starts a pass over a batch.</summary>
    /// <param name="batch">At most <see cref="Capacity"/> samples.</param>
    /// <param name="shard">The shard that they are.</param>
    /// <param name="reduction">Receives gradients; empty for a pass without a backward part.</param>
    public void Begin(SampleBatch batch, int shard, float[] reduction)
    {
        if (batch.Count < 1 || batch.Count > Capacity)
            throw new ArgumentException($"A batch of {batch.Count} samples does not fit a tape of {Capacity}.", nameof(batch));
        Samples = batch.Count;
        Shard = shard;
        Reduction = reduction;
        FirstNonFinite = 0;
        batch.Images.Span[..(batch.Count * model.Input.Elements)].CopyTo(images.Span);
        batch.Labels.Span[..batch.Count].CopyTo(Labels);
        var classes = model.Classes;
        for (var i = 0; i < Samples; i++)
        {
            if ((uint)Labels[i] >= (uint)classes)
                throw new ArgumentException($"Label {Labels[i]} is not a class: model.classes is {classes}.", nameof(batch));
        }
    }

    /// <summary>The output of a node's layer, or the images. Valid while <see cref="TapePlan"/> says that something still reads it.</summary>
    public Memory<float> Output(int node) => node == ModelDescription.Images ? images : Slot(plan.OutputSlots[node]);

    /// <summary>What a batch norm keeps between its passes.</summary>
    public NormState Norm(int node, int channels) => norms[node] ??= new NormState(channels);

    /// <summary>For each output of a max pool the place, within the sample, of the pixel that it took.</summary>
    public int[] Winners(int node) => winners[node] ??= new int[checked(Capacity * model.Nodes[node].Out.Elements)];

    /// <summary>The gradient of a node's output.</summary>
    public Memory<float> OutputGradient(int node) => Slot(plan.Backward[node].OutputSlot);

    /// <summary>What is still to be added to the gradient of a node's output; empty: nothing.</summary>
    public Memory<float> AddedGradient(int node) => plan.Backward[node].AddedSlot is >= 0 and var slot ? Slot(slot) : default;

    /// <summary>Where a node's gradient of its input goes; empty where none is wanted.</summary>
    public Memory<float> InputGradient(int node) => plan.Backward[node].InputSlot is >= 0 and var slot ? Slot(slot) : default;

    /// <summary>A buffer of outputs or gradients.</summary>
    public Memory<float> Slot(int slot)
    {
        if (slots[slot].IsEmpty)
            slots[slot] = Pinned.Lines(checked(Capacity * plan.SlotLengths[slot]));
        return slots[slot];
    }

    /// <summary>Notes a non-finite value; the first place in the order of <see cref="ModelDescription.LayerNames"/> stays.</summary>
    public void NoteNonFinite(int layer)
    {
        var found = 1 + (((long)layer << 32) | (uint)Shard);
        if (FirstNonFinite == 0 || found < FirstNonFinite)
            FirstNonFinite = found;
    }
}
