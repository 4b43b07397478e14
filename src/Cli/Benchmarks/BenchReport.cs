using System.Text.Json;

namespace AdderNet.Cli.Benchmarks;

/// <summary>What a benchmark measured, for the file of <c>--json</c>: an object with the machine, the time, the rows and what sums them up.</summary>
/// <param name="Bench">The benchmark's name.</param>
/// <param name="Machine">Where it ran.</param>
/// <param name="Time">When it ran.</param>
/// <param name="Rows">One object a row; property names are written in snake_case.</param>
/// <param name="Summary">Figures over all rows, by name.</param>
internal sealed record BenchReport(string Bench, BenchMachine Machine, DateTimeOffset Time, IReadOnlyList<object> Rows, object? Summary)
{
    private static readonly JsonSerializerOptions Format = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DictionaryKeyPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
    };

    /// <summary>Writes the file, replacing one that is there.</summary>
    public async Task WriteAsync(string file, CancellationToken cancellation) =>
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(this, Format) + "\n", cancellation).ConfigureAwait(false);
}
