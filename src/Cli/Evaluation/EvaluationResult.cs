using System.Globalization;
using AdderNet.Core.Engine;

namespace AdderNet.Cli.Evaluation;

/// <summary>How one class fared.</summary>
/// <param name="Samples">Its samples.</param>
/// <param name="Top1">Those taken for it.</param>
/// <param name="Top5">Those with it among the first five.</param>
internal readonly record struct ClassResult(int Samples, int Top1, int Top5);

/// <summary>Samples of one class that were taken for another.</summary>
internal readonly record struct Confusion(int Label, int Taken, int Times);

/// <summary>Everything that an evaluation counts. Blocks are added in their order, whoever computed them.</summary>
internal sealed class EvaluationResult
{
    private readonly ClassResult[] classes;
    private readonly Dictionary<(int Label, int Taken), int> confusions = [];
    private double lossSum;

    /// <param name="classes">Classes of the model.</param>
    /// <param name="blocks">All blocks of the test set.</param>
    public EvaluationResult(int classes, IEnumerable<EvaluatedBlock> blocks)
    {
        this.classes = new ClassResult[classes];
        foreach (var block in blocks.OrderBy(block => block.Block))
            Add(block);
    }

    /// <summary>By label.</summary>
    public IReadOnlyList<ClassResult> Classes => classes;

    public int Samples => classes.Sum(c => c.Samples);

    public double Top1 => (double)classes.Sum(c => c.Top1) / Samples;

    public double Top5 => (double)classes.Sum(c => c.Top5) / Samples;

    public double Loss => lossSum / Samples;

    /// <summary>The most frequent confusions first; equal ones by class, then by what it was taken for.</summary>
    public IEnumerable<Confusion> WorstConfusions => confusions.Select(c => new Confusion(c.Key.Label, c.Key.Taken, c.Value))
        .OrderByDescending(c => c.Times).ThenBy(c => c.Label).ThenBy(c => c.Taken);

    /// <summary>A table with a line for each class.</summary>
    /// <param name="name">What a class is called.</param>
    public IEnumerable<string> Csv(Func<int, string> name)
    {
        var worst = WorstConfusions.GroupBy(c => c.Label).ToDictionary(group => group.Key, group => group.First());
        yield return "class,name,samples,top1,top5,mistaken_for,mistaken_for_name,times";
        for (var label = 0; label < classes.Length; label++)
        {
            var (samples, top1, top5) = classes[label];
            var mistaken = worst.TryGetValue(label, out var c) ? $"{c.Taken},{Quote(name(c.Taken))},{c.Times}" : ",,0";
            yield return string.Create(CultureInfo.InvariantCulture, $"{label},{Quote(name(label))},{samples},{top1},{top5},{mistaken}");
        }
    }

    private static string Quote(string name) =>
        name.AsSpan().ContainsAny(",\"\n\r") ? $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : name;

    private void Add(EvaluatedBlock block)
    {
        lossSum += block.LossSum;
        for (var i = 0; i < block.Labels.Length; i++)
        {
            var (label, taken) = (block.Labels[i], block.Taken[i]);
            var c = classes[label];
            classes[label] = new ClassResult(c.Samples + 1, c.Top1 + (taken == label ? 1 : 0), c.Top5 + (block.InTop5[i] ? 1 : 0));
            if (taken != label && taken != SampleVerdict.Nothing)
                confusions[(label, taken)] = confusions.GetValueOrDefault((label, taken)) + 1;
        }
    }
}
