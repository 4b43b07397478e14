using AdderNet.Core.Kernels;

namespace AdderNet.Core.Layers.Normalization;

/// <summary>The passes at one vector width: sums are split over threads by blocks, maps by tiles.</summary>
internal sealed unsafe class NormPasses<TOps, TWide, TNarrow, TTail> : INormPasses
    where TOps : struct, IChannelOps<TWide, TNarrow>
    where TWide : unmanaged
    where TNarrow : unmanaged
    where TTail : struct, INormTail
{
    /// <summary>Elements that are worth a thread.</summary>
    private const int ThreadElements = 32 * 1024;

    /// <inheritdoc/>
    public void Moments(in NormOperands operands, ChannelGroups groups, Span<double> first, Span<double> second, NormScratch scratch, ComputeThreads threads) =>
        Sum(operands, groups, backward: false, first, second, scratch, threads);

    /// <inheritdoc/>
    public void GradientSums(in NormOperands operands, ChannelGroups groups, Span<double> first, Span<double> second, NormScratch scratch, ComputeThreads threads) =>
        Sum(operands, groups, backward: true, first, second, scratch, threads);

    /// <inheritdoc/>
    public bool Normalize(in NormOperands operands, ChannelGroups groups, ComputeThreads threads)
    {
        var trouble = 0;
        Map(operands, groups, backward: false, &trouble, threads);
        return trouble == 0;
    }

    /// <inheritdoc/>
    public void InputGradient(in NormOperands operands, ChannelGroups groups, ComputeThreads threads) =>
        Map(operands, groups, backward: true, null, threads);

    private static void Sum(in NormOperands operands, ChannelGroups groups, bool backward, Span<double> first, Span<double> second, NormScratch scratch, ComputeThreads threads)
    {
        var (lanes, blocks) = (groups.Lanes, groups.Blocks(operands.Length));
        // The lanes' sums over all blocks lie in front of those of each block.
        var totals = scratch.Sums(2L * lanes * (blocks + 1));
        var partials = totals + 2 * lanes;
        threads.Split(
            blocks,
            new SumJob { Operands = operands, TileGroups = groups.TileGroups, Backward = backward, Partials = partials },
            grain: Math.Max(1, ThreadElements / (lanes * ChannelGroups.BlockGroups)));

        new Span<double>(totals, 2 * lanes).Clear();
        for (var block = 0; block < blocks; block++)
        {
            var part = partials + 2L * lanes * block;
            for (var lane = 0; lane < 2 * lanes; lane += TOps.Width)
                TOps.Store(totals + lane, TOps.Add(TOps.Load(totals + lane), TOps.Load(part + lane)));
        }

        var whole = operands.Length / lanes;
        SumTile<ChannelOpsScalar, double, float>(operands, backward, operands.Length % lanes, whole, whole + 1, totals);

        first.Clear();
        second.Clear();
        for (var lane = 0; lane < lanes; lane++)
        {
            first[lane % first.Length] += totals[lane];
            second[lane % first.Length] += totals[lanes + lane];
        }
    }

    /// <summary>Adds the first lanes of the groups [group, end) to a block's sums.</summary>
    private static void SumTile<TTileOps, TTileWide, TTileNarrow>(in NormOperands operands, bool backward, int lanes, int group, int end, double* sums)
        where TTileOps : struct, IChannelOps<TTileWide, TTileNarrow>
        where TTileWide : unmanaged
        where TTileNarrow : unmanaged
    {
        if (backward)
            NormLoops<TTileOps, TTileWide, TTileNarrow, TTail>.GradientSums(operands, lanes, group, end, sums, sums + operands.Lanes);
        else
            NormLoops<TTileOps, TTileWide, TTileNarrow, TTail>.Moments(operands, lanes, group, end, sums, sums + operands.Lanes);
    }

    private static void Map(in NormOperands operands, ChannelGroups groups, bool backward, int* trouble, ComputeThreads threads)
    {
        var whole = operands.Length / groups.Lanes;
        threads.Split(
            (whole + groups.TileGroups - 1) / groups.TileGroups,
            new MapJob { Operands = operands, Groups = whole, TileGroups = groups.TileGroups, Backward = backward, Trouble = trouble },
            grain: Math.Max(1, ThreadElements / (groups.Lanes * groups.TileGroups)));
        if (MapTile<ChannelOpsScalar, double, float>(operands, backward, operands.Length % groups.Lanes, whole, whole + 1))
            *trouble = 1;
    }

    /// <summary>Maps the first lanes of the groups [group, end).</summary>
    /// <returns>Whether a value was not finite; never backward.</returns>
    private static bool MapTile<TTileOps, TTileWide, TTileNarrow>(in NormOperands operands, bool backward, int lanes, int group, int end)
        where TTileOps : struct, IChannelOps<TTileWide, TTileNarrow>
        where TTileWide : unmanaged
        where TTileNarrow : unmanaged
    {
        if (!backward)
            return NormLoops<TTileOps, TTileWide, TTileNarrow, TTail>.Normalize(operands, lanes, group, end);
        NormLoops<TTileOps, TTileWide, TTileNarrow, TTail>.InputGradient(operands, lanes, group, end);
        return false;
    }

    private struct SumJob : ISplitJob
    {
        public NormOperands Operands;
        public int TileGroups;
        public bool Backward;
        public double* Partials;

        public readonly void Run(int first, int end)
        {
            var lanes = Operands.Lanes;
            var whole = Operands.Length / lanes;
            for (var block = first; block < end; block++)
            {
                var sums = Partials + 2L * lanes * block;
                new Span<double>(sums, 2 * lanes).Clear();
                var blockEnd = Math.Min((block + 1) * ChannelGroups.BlockGroups, whole);
                for (var group = block * ChannelGroups.BlockGroups; group < blockEnd; group += TileGroups)
                    SumTile<TOps, TWide, TNarrow>(Operands, Backward, lanes, group, Math.Min(group + TileGroups, blockEnd), sums);
            }
        }
    }

    private struct MapJob : ISplitJob
    {
        public NormOperands Operands;
        public int Groups;
        public int TileGroups;
        public bool Backward;
        public int* Trouble;

        public readonly void Run(int first, int end)
        {
            var found = false;
            for (var tile = first; tile < end; tile++)
                found |= MapTile<TOps, TWide, TNarrow>(Operands, Backward, Operands.Lanes, tile * TileGroups, Math.Min((tile + 1) * TileGroups, Groups));

            if (found)
                Volatile.Write(ref *Trouble, 1);
        }
    }
}
