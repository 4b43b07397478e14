using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Models;

namespace AdderNet.Cli.Benchmarks;

/// <summary>A training step to measure: one shard of one worker.</summary>
/// <param name="Model">The model, with adder layers.</param>
/// <param name="Batch">Images of the shard.</param>
/// <param name="Threads">Threads to compute with.</param>
internal sealed record StepCase(ModelDescription Model, int Batch, int Threads)
{
    /// <summary>What a step's adder layers do.</summary>
    public AdderWork AdderWork { get; } = AdderWork.Of(Model, Batch);

    /// <exception cref="InvalidDescriptionException">The images are too small for the model.</exception>
    public static StepCase Of(ModelName name, int batch, int side, int threads)
    {
        var classes = name is ModelName.ResNet18 or ModelName.ResNet50 ? 1000 : 10;
        var input = new InputShape(side, side, name == ModelName.LeNet5 ? 1 : 3);
        return new StepCase(ModelCatalog.Describe(new ModelOptions { Name = name, Classes = classes }, input), batch, threads);
    }

    public static int UsualSide(ModelName name) => name switch
    {
        ModelName.LeNet5 => 28,
        ModelName.ResNet18 or ModelName.ResNet50 => 224,
        _ => 32,
    };

    public static int UsualBatch(ModelName name) => name is ModelName.LeNet5 or ModelName.ResNet18 or ModelName.ResNet50 ? 32 : 128;
}
