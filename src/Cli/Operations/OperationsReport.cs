using System.Globalization;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Models;

namespace AdderNet.Cli.Operations;

/// <summary>The text that <c>ops</c> prints.</summary>
internal static class OperationsReport
{
    private const string Gap = "  ";

    /// <summary>All lines: by layer, in all, and beside the paper's figures.</summary>
    public static IEnumerable<string> Lines(ModelOptions model, InputShape input, OperationCounts counts)
    {
        var first = counts.Layers.Single(layer => layer.IsFirst).Name;
        yield return $"{Spelling.Of(model.Name)}, method {Spelling.Of(model.Method)}, {model.Classes} classes: one image of {input.Height} x {input.Width} x {input.Channels}";
        yield return "";
        foreach (var line in Align(Table(counts, first)))
            yield return line;
        yield return "";
        foreach (var line in Align(Comparison(model, counts, first)))
            yield return line;
        yield return "";
        yield return "Counted: convolutions and fully connected layers, padding included, an addition for each product, difference or bit;";
        yield return "not: batch norms, activations, pooling, block sums, biases, scaling factors of binary layers.";
    }

    private static IEnumerable<string[]> Table(OperationCounts counts, string first)
    {
        yield return ["layer", "method", "output", "parameters", "activations", "additions", "multiplications", "XNORs"];
        foreach (var layer in counts.Layers)
            yield return [layer.Name, Spelling.Of(layer.Method), layer.Output.ToString(), Number(layer.Parameters), Number(layer.Activations), .. Cells(layer.Operations)];
        yield return ["batch norms", "", "", Number(counts.NormParameters), "", "", "", ""];
        yield return ["all", "", "", Number(counts.Parameters), Number(counts.Activations), .. Cells(counts.Sum(_ => true))];
        yield return Part($"all but {first}", layer => !layer.IsFirst);
        if (counts.Layers.Any(layer => layer.IsShortcut))
            yield return Part("shortcuts (in all)", layer => layer.IsShortcut);

        string[] Part(string name, Func<LayerOperations, bool> chosen)
        {
            var layers = counts.Layers.Where(chosen).ToList();
            return [name, "", "", Number(layers.Sum(layer => layer.Parameters)), Number(layers.Sum(layer => layer.Activations)), .. Cells(counts.Sum(chosen))];
        }
    }

    private static IEnumerable<string[]> Comparison(ModelOptions model, OperationCounts counts, string first)
    {
        var method = Spelling.Of(model.Method);
        yield return ["", "additions", "multiplications", "XNORs"];
        if (PublishedOperations.Find(model.Name, model.Method) is { } paper)
            yield return [$"the paper's {paper.Row} row", paper.Additions, paper.Multiplications, paper.Xnors];
        else
            yield return ["the paper has no such row", "", "", ""];
        yield return [$"every layer counted as {method}", .. Short(counts.SumAs(model.Method, _ => true))];
        yield return [$"the same without {first}", .. Short(counts.SumAs(model.Method, layer => !layer.IsFirst))];
        yield return ["each layer by its own method", .. Short(counts.Sum(_ => true))];
    }

    private static IEnumerable<string> Align(IEnumerable<string[]> rows)
    {
        var all = rows.ToList();
        var widths = Enumerable.Range(0, all[0].Length).Select(column => all.Max(row => row[column].Length)).ToList();
        // Numbers stand right; the columns before them left.
        var names = all[0].Length > 4 ? 3 : 1;
        return all.Select(row => string.Join(Gap, row.Select((cell, i) => i < names ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i]))).TrimEnd());
    }

    private static string[] Cells(OperationCount count) => [Number(count.Additions), Number(count.Multiplications), Number(count.Xnors)];

    private static string[] Short(OperationCount count) => [Short(count.Additions), Short(count.Multiplications), Short(count.Xnors)];

    private static string Number(long value) => value.ToString("#,0", CultureInfo.InvariantCulture);

    private static string Short(long value) => value switch
    {
        >= 1_000_000_000 => (value / 1e9).ToString("0.000", CultureInfo.InvariantCulture) + "G",
        >= 1_000_000 => (value / 1e6).ToString("0.00", CultureInfo.InvariantCulture) + "M",
        >= 1_000 => (value / 1e3).ToString("0.0", CultureInfo.InvariantCulture) + "K",
        _ => value.ToString(CultureInfo.InvariantCulture),
    };
}
