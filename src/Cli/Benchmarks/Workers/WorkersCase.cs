using System.Globalization;
using System.Text.Json.Serialization;
using AdderNet.Core.Configuration;

namespace AdderNet.Cli.Benchmarks.Workers;

/// <summary>A run to measure with several numbers of workers.</summary>
/// <param name="Model">The model, with adder layers.</param>
/// <param name="Side">Side of the images.</param>
/// <param name="Batch">Images of a step, over all workers.</param>
/// <param name="Threads">Compute threads of each worker.</param>
/// <param name="Workers">Numbers of workers, ascending, the first one 1.</param>
internal sealed record WorkersCase(
    [property: JsonConverter(typeof(JsonStringEnumConverter<ModelName>))] ModelName Model, int Side, int Batch, int Threads, IReadOnlyList<int> Workers)
{
    /// <summary>Shards of a step: what the run description has by default, and enough for every worker.</summary>
    public int Shards { get; } = Math.Max(new BatchOptions().Shards, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Workers[^1]));

    /// <summary>The description of a run that ends only with the measurement, and does nothing but steps.</summary>
    /// <param name="workers">How many train it.</param>
    /// <param name="output">Its output folder.</param>
    public string Description(int workers, string output) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""
        model: {name: {{Spelling.Of(Model)}}}
        data: {format: synthetic, image_size: {{Side}}}
        batch: {global: {{Batch}}, shards: {{Shards}}}
        schedule: {kind: constant, epochs: 100000}
        evaluation: {every_epochs: 100000}
        elastic: {min_workers: {{workers}}, max_workers: {{workers}}, lease_ms: 60000, rebalance: false}
        checkpoint: {every_steps: 1000000000, path: {{output}}}
        """);

    public static int UsualBatch(ModelName name) => name is ModelName.ResNet18 or ModelName.ResNet50 ? 64 : new BatchOptions().Global;
}
