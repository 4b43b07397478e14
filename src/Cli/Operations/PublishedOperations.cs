using AdderNet.Core.Configuration;

namespace AdderNet.Cli.Operations;

/// <summary>A row of the paper's tables: operations in the paper's own spelling.</summary>
/// <param name="Row">The row's name there.</param>
/// <param name="Additions">Column #Add.</param>
/// <param name="Multiplications">Column #Mul.</param>
/// <param name="Xnors">Column XNOR.</param>
internal sealed record PublishedOperations(string Row, string Additions, string Multiplications, string Xnors)
{
    // Pairs of an input and a filter element and their double, as the paper rounds them.
    private static readonly Dictionary<ModelName, (string Single, string Double)> Figures = new()
    {
        [ModelName.LeNet5] = ("435K", "870K"),
        [ModelName.VggSmall] = ("0.65G", "1.30G"),
        [ModelName.ResNet20] = ("41.17M", "82.34M"),
        [ModelName.ResNet32] = ("69.12M", "138.24M"),
        [ModelName.ResNet18] = ("1.8G", "3.6G"),
        [ModelName.ResNet50] = ("3.9G", "7.7G"),
    };

    /// <summary>The row that stands for a model and method; null where the paper has none.</summary>
    public static PublishedOperations? Find(ModelName model, LayerMethod method)
    {
        var (one, two) = Figures[model];
        return method switch
        {
            LayerMethod.Adder => new("AddNN", two, "0", "0"),
            LayerMethod.Conv => new("CNN", one, one, "0"),
            LayerMethod.DoReFa or LayerMethod.Xnor when model != ModelName.LeNet5 => new("BNN", one, "0", one),
            _ => null,
        };
    }
}
