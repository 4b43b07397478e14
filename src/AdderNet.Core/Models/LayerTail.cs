using AdderNet.Core.Configuration;

namespace AdderNet.Core.Models;

/// <summary>A max pool to be added.</summary>
internal readonly record struct PoolWindow(string Name, int Kernel, int Stride, int Padding = 0);

/// <summary>
/// What follows a layer: batch norm, ReLU, max pool. Before an <c>xnor</c> layer it is max pool, batch norm, the order of
/// XNOR-Net: signs take the ReLU's place (behind a ReLU all would be +1), and a maximum of normalised values is nearly
/// always positive.
/// </summary>
internal static class LayerTail
{
    /// <summary>Adds the tail of a layer.</summary>
    /// <param name="build">The model.</param>
    /// <param name="norm">Name of the batch norm.</param>
    /// <param name="relu">Name of the ReLU.</param>
    /// <param name="next">Method of the layer that reads it.</param>
    /// <param name="pool">The max pool; null: none.</param>
    public static void Add(ModelBuilder build, string norm, string relu, LayerMethod next, PoolWindow? pool = null)
    {
        if (next == LayerMethod.Xnor)
        {
            AddPool(build, pool);
            build.BatchNorm(norm);
            return;
        }

        build.BatchNorm(norm);
        build.Relu(relu);
        AddPool(build, pool);
    }

    private static void AddPool(ModelBuilder build, PoolWindow? pool)
    {
        if (pool is { } window)
            build.MaxPool(window.Name, window.Kernel, window.Stride, window.Padding);
    }
}
