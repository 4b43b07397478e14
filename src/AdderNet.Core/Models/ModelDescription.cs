using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;

namespace AdderNet.Core.Models;

/// <summary>A model as data: what an engine builds its layers from. The last node's output holds the logits.</summary>
public sealed class ModelDescription
{
    /// <summary>The input index that stands for the images.</summary>
    public const int Images = -1;

    internal ModelDescription(ModelOptions options, InputShape input, IReadOnlyList<ModelNode> nodes)
        : this(Spelling.Of(options.Name), input, nodes)
    {
    }

    internal ModelDescription(string name, InputShape input, IReadOnlyList<ModelNode> nodes)
    {
        Name = name;
        Input = input;
        Nodes = nodes;
        Layout = CreateLayout(nodes);
        LayerNames = [.. nodes.Select(n => n.Name), "loss", .. nodes.Reverse().Select(n => $"gradient of {n.Name}")];
    }

    /// <summary>The model's name.</summary>
    public string Name { get; }

    /// <summary>Shape of one image.</summary>
    public InputShape Input { get; }

    /// <summary>All operations, inputs before readers, in the order of the state dict.</summary>
    internal IReadOnlyList<ModelNode> Nodes { get; }

    /// <summary>Names, shapes and places of all tensors, in the order of the state dict.</summary>
    public ModelLayout Layout { get; }

    /// <summary>
    /// Names of the places where a non-finite value can be found, in the order in which a step passes them: every node's
    /// output, the loss, then the parameter gradients from the last node to the first. Layer numbers of
    /// <see cref="Sharding.StepCounts.FirstNonFinite"/> index this list.
    /// </summary>
    public IReadOnlyList<string> LayerNames { get; }

    /// <summary>Number of classes.</summary>
    public int Classes => Nodes[^1].Out.Elements;

    /// <summary>The layer number of the loss.</summary>
    internal int LossLayer => Nodes.Count;

    /// <summary>The layer number of a node's parameter gradients.</summary>
    internal int GradientLayer(int node) => Nodes.Count + 1 + (Nodes.Count - 1 - node);

    private static ModelLayout CreateLayout(IReadOnlyList<ModelNode> nodes)
    {
        var parameters = new List<ParameterSlot>();
        var statistics = new List<TensorSlot>();
        foreach (var node in nodes)
        {
            switch (node)
            {
                case ConvolutionNode convolution:
                    Add(convolution.FilterName, convolution.FilterShape, convolution.Method switch
                    {
                        LayerMethod.Adder => ParameterKind.AdderFilter,
                        LayerMethod.Binary => ParameterKind.ClippedWeight,
                        _ => ParameterKind.Weight,
                    });
                    if (convolution.Bias)
                        Add($"{node.Name}.bias", [node.Out.Channels], ParameterKind.Bias);
                    break;
                case BatchNormNode:
                    Add($"{node.Name}.weight", [node.Out.Channels], ParameterKind.NormScale);
                    Add($"{node.Name}.bias", [node.Out.Channels], ParameterKind.NormShift);
                    statistics.Add(Next($"{node.Name}.running_mean", [node.Out.Channels], statistics.LastOrDefault()));
                    statistics.Add(Next($"{node.Name}.running_var", [node.Out.Channels], statistics.LastOrDefault()));
                    break;
            }
        }

        return new ModelLayout(parameters, statistics);

        void Add(string name, IReadOnlyList<int> shape, ParameterKind kind) =>
            parameters.Add(new ParameterSlot(Next(name, shape, parameters.LastOrDefault()?.Tensor), kind));
    }

    private static TensorSlot Next(string name, IReadOnlyList<int> shape, TensorSlot? last) =>
        new(name, shape, last is null ? 0 : checked(last.Offset + last.Length), shape.Aggregate(1, (a, b) => checked(a * b)));
}
