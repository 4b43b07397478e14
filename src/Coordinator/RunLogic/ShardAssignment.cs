using System.Collections.Immutable;
using System.Numerics;
using AdderNet.Core.Sharding;

namespace AdderNet.Coordinator.RunLogic;

/// <summary>
/// Cuts S shards into contiguous ranges, one a member. Cuts fall on multiples of a power of two, so that each range is
/// few subtrees of the shard tree, and are chosen so that the slowest member (its shards' compute plus the subtrees it
/// sends) is as fast as can be, then so that the fewest subtrees are sent. World size changes only who computes what.
/// </summary>
internal static class ShardAssignment
{
    /// <summary>Time to send one subtree's sum, in units of one shard's compute at relative speed 1.</summary>
    private const double SubtreeCost = 0.05;

    /// <summary>Ranges for members in their order: the first S of them compute, the rest are hot spares.</summary>
    /// <param name="shards">S, a power of two.</param>
    /// <param name="speeds">Relative speed of each member (shards a second, any unit), above zero.</param>
    public static ImmutableArray<ShardRange> Cut(int shards, IReadOnlyList<double> speeds)
    {
        if (shards < 1 || !BitOperations.IsPow2(shards))
            throw new ArgumentOutOfRangeException(nameof(shards), shards, "must be a power of two, such as 8");
        if (speeds.Any(s => !(s > 0) || double.IsInfinity(s)))
            throw new ArgumentOutOfRangeException(nameof(speeds), "every speed must be finite and above zero, such as 1.0");
        if (speeds.Count == 0)
            return [];

        var computing = Math.Min(speeds.Count, shards);
        var unit = Granularity(shards, computing);
        var cuts = BestCuts(shards / unit, unit, speeds.Take(computing).ToArray());
        var ranges = ImmutableArray.CreateBuilder<ShardRange>(speeds.Count);
        for (var i = 0; i < computing; i++)
            ranges.Add(new ShardRange(cuts[i] * unit, cuts[i + 1] * unit));
        for (var i = computing; i < speeds.Count; i++)
            ranges.Add(new ShardRange(shards, shards));
        return ranges.MoveToImmutable();
    }

    /// <summary>The power of two on whose multiples cuts fall: at least 8 units a member where there are that many shards.</summary>
    public static int Granularity(int shards, int members) =>
        (int)Math.Max(1, shards / (8 * (long)BitOperations.RoundUpToPowerOf2((uint)members)));

    /// <summary>Number of largest aligned subtrees in a range: what its owner sends for each bucket.</summary>
    public static int Subtrees(int first, int end)
    {
        var nodes = 0;
        while (first < end)
        {
            var aligned = first == 0 ? int.MaxValue : first & -first;
            var fits = 1 << BitOperations.Log2((uint)(end - first));
            first += Math.Min(aligned, fits);
            nodes++;
        }

        return nodes;
    }

    private static int[] BestCuts(int units, int unit, double[] speeds)
    {
        var fastest = speeds.Max();
        double Cost(int member, int first, int end) =>
            (end - first) * unit * (fastest / speeds[member]) + SubtreeCost * Subtrees(first, end);

        // First the smallest possible cost of the slowest member, then the fewest subtrees within that bound.
        var bound = Search(units, speeds.Length, Cost, (a, b) => Math.Max(a, b), double.PositiveInfinity, Cost).Total;
        return Search(units, speeds.Length, Cost, (a, b) => a + b, bound, (_, first, end) => Subtrees(first, end)).Cuts;
    }

    /// <summary>Dynamic programme over (member, cut): every member gets at least one unit.</summary>
    private static (double Total, int[] Cuts) Search(
        int units, int members, Func<int, int, int, double> cost, Func<double, double, double> join, double bound,
        Func<int, int, int, double> weight)
    {
        var best = new double[members + 1, units + 1];
        var from = new int[members + 1, units + 1];
        for (var m = 0; m <= members; m++)
        {
            for (var u = 0; u <= units; u++)
                best[m, u] = double.PositiveInfinity;
        }

        best[0, 0] = 0;
        for (var m = 1; m <= members; m++)
        {
            for (var end = m; end <= units - (members - m); end++)
            {
                for (var first = m - 1; first < end; first++)
                {
                    if (double.IsPositiveInfinity(best[m - 1, first]) || cost(m - 1, first, end) > bound)
                        continue;
                    var total = join(best[m - 1, first], weight(m - 1, first, end));
                    if (total < best[m, end])
                    {
                        best[m, end] = total;
                        from[m, end] = first;
                    }
                }
            }
        }

        var cuts = new int[members + 1];
        cuts[members] = units;
        for (var m = members; m > 0; m--)
            cuts[m - 1] = from[m, cuts[m]];
        return (best[members, units], cuts);
    }
}
