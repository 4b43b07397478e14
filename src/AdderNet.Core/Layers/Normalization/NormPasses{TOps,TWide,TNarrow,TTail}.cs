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
        for (var lane = 0; lane < operands.Length % lanes; lane++)
            SumRest(operands, backward, lane, whole, totals);

        first.Clear();
        second.Clear();
        for (var lane = 0; lane < lanes; lane++)
        {
            first[lane % first.Length] += totals[lane];
            second[lane % first.Length] += totals[lanes + lane];
        }
    }

    private static void SumRest(in NormOperands o, bool backward, int lane, int group, double* totals)
    {
        if (backward)
            NormLoops<ChannelOpsScalar, double, float, TTail>.GradientSums(o, lane, group, group + 1, totals, totals + o.Lanes);
        else
            NormLoops<ChannelOpsScalar, double, float, TTail>.Moments(o, lane, group, group + 1, totals, totals + o.Lanes);
    }

    private static void Map(in NormOperands operands, ChannelGroups groups, bool backward, int* trouble, ComputeThreads threads)
    {
        var whole = operands.Length / groups.Lanes;
        threads.Split(
            (whole + groups.TileGroups - 1) / groups.TileGroups,
            new MapJob { Operands = operands, Groups = whole, TileGroups = groups.TileGroups, Backward = backward, Trouble = trouble },
            grain: Math.Max(1, ThreadElements / (groups.Lanes * groups.TileGroups)));
        for (var lane = 0; lane < operands.Length % groups.Lanes; lane++)
        {
            if (backward)
                NormLoops<ChannelOpsScalar, double, float, TTail>.InputGradient(operands, lane, whole, whole + 1);
            else if (NormLoops<ChannelOpsScalar, double, float, TTail>.Normalize(operands, lane, whole, whole + 1))
                *trouble = 1;
        }
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
                    SumTile(sums, group, Math.Min(group + TileGroups, blockEnd));
            }
        }

        private readonly void SumTile(double* sums, int group, int end)
        {
            for (var lane = 0; lane < Operands.Lanes; lane += TOps.Width)
            {
                if (Backward)
                    NormLoops<TOps, TWide, TNarrow, TTail>.GradientSums(Operands, lane, group, end, sums, sums + Operands.Lanes);
                else
                    NormLoops<TOps, TWide, TNarrow, TTail>.Moments(Operands, lane, group, end, sums, sums + Operands.Lanes);
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
            {
                var (group, tileEnd) = (tile * TileGroups, Math.Min((tile + 1) * TileGroups, Groups));
                for (var lane = 0; lane < Operands.Lanes; lane += TOps.Width)
                {
                    if (Backward)
                        NormLoops<TOps, TWide, TNarrow, TTail>.InputGradient(Operands, lane, group, tileEnd);
                    else
                        found |= NormLoops<TOps, TWide, TNarrow, TTail>.Normalize(Operands, lane, group, tileEnd);
                }
            }

            if (found)
                Volatile.Write(ref *Trouble, 1);
        }
    }
}
