using System.Text.Json;
using System.Text.Json.Serialization;
using AdderNet.Core.Engine;

namespace AdderNet.Cli.Evaluation;

/// <summary>What came of one block of the test set; as a line of JSON it passes from a worker to the command.</summary>
/// <param name="Block">Its index.</param>
/// <param name="LossBits">Bits of the summed loss: no text of a number could lose any, nor a NaN.</param>
/// <param name="Labels">Class of each sample.</param>
/// <param name="Taken">What it was taken for.</param>
/// <param name="InTop5">Whether its class was among the first five.</param>
internal sealed record EvaluatedBlock(int Block, long LossBits, int[] Labels, int[] Taken, bool[] InTop5)
{
    [JsonIgnore]
    public double LossSum => BitConverter.Int64BitsToDouble(LossBits);

    public static EvaluatedBlock Of(int block, EvaluationSums sums, ReadOnlySpan<SampleVerdict> verdicts)
    {
        var samples = verdicts.ToArray();
        return new EvaluatedBlock(
            block, BitConverter.DoubleToInt64Bits(sums.LossSum),
            [.. samples.Select(v => v.Label)], [.. samples.Select(v => v.Taken)], [.. samples.Select(v => v.InTop5)]);
    }

    public string ToLine() => JsonSerializer.Serialize(this);

    /// <summary>Null when the line is none of these.</summary>
    public static EvaluatedBlock? Parse(string line)
    {
        try
        {
            var block = JsonSerializer.Deserialize<EvaluatedBlock>(line);
            return block is { Labels: not null, Taken: not null, InTop5: not null } && block.Labels.Length == block.Taken.Length && block.Labels.Length == block.InTop5.Length ? block : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
