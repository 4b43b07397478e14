namespace AdderNet.Core.Kernels;

/// <summary>Remembers the plan of each shape. A model has few shapes; a caller that brings ever new ones starts it over.</summary>
internal sealed class ConvolutionPlans
{
    private const int Limit = 512;
    private readonly Dictionary<ConvolutionShape, ConvolutionPlan> plans = [];

    public ConvolutionPlan Of(in ConvolutionShape shape)
    {
        if (plans.TryGetValue(shape, out var plan))
            return plan;
        if (plans.Count >= Limit)
            plans.Clear();
        plan = new ConvolutionPlan(shape);
        plans.Add(shape, plan);
        return plan;
    }
}
