using System.Runtime.CompilerServices;

namespace AdderNet.Core.Kernels;

/// <summary>
/// Filter gradients of small filters on some threads: each takes runs of blocks of positions, with what those read, and keeps each block's
/// sums apart until the blocks before are added. Threads that shared out panels instead would all read all positions, and wait for each
/// other at every span.
/// </summary>
/// <typeparam name="TOps">Vector operations.</typeparam>
/// <typeparam name="TVector">The register type.</typeparam>
/// <typeparam name="TTile">Tile for panels of inputs gathered position by position.</typeparam>
/// <typeparam name="TDirectTile">The same tile for panels that are read where they lie.</typeparam>
internal unsafe struct FilterGradientBlocks<TOps, TVector, TTile, TDirectTile> : ISplitJob
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TTile : struct, ITile
    where TDirectTile : struct, ITile
{
    private const int Block = SummationOrder.PositionBlock;

    public ConvolutionPlan Plan;
    public float* X;

    /// <summary>What the tiles of any run need; the rest is set run by run.</summary>
    public FilterGradientSpan<TOps, TVector, TTile, TDirectTile> Span;

    public BlockRuns* Runs;

    /// <summary>Most blocks of a run.</summary>
    public int RunBlocks;

    /// <summary>For each thread the sums of as many blocks as a run has.</summary>
    public float* Sums;

    /// <summary>For each thread room for the inputs that a run copies.</summary>
    public float* Padded;

    public long PaddedLength;

    /// <summary>An item is a thread's share: as many runs as it comes to.</summary>
    public readonly void Run(int first, int end)
    {
        try
        {
            for (var share = first; share < end; share++)
                TakeRuns(share);
        }
        catch
        {
            Runs->Abandon();
            throw;
        }
    }

    private readonly void TakeRuns(int share)
    {
        var span = Span;
        span.Output = Sums + share * RunBlocks * span.BlockStride;
        new Span<float>(span.Output, (int)(RunBlocks * span.BlockStride)).Clear();
        while (Runs->Take() is var run && run.First < run.End)
        {
            RunTiles(ref span, share, run);
            if (!Runs->Await(run))
                return;
            Add(run, span.Output);
            Runs->Pass(run);
        }
    }

    private readonly void RunTiles(ref FilterGradientSpan<TOps, TVector, TTile, TDirectTile> span, int share, BlockRun run)
    {
        var (first, end) = PositionsOf(run);
        var padding = new InputPadding(Plan, X, first, end, Padded + share * PaddedLength);
        padding.Copy(0, 1);
        span.Gradients.Prepare(first, end, 0, 1);
        span.Inputs.Source = padding.Inputs;
        span.Positions = span.Positions with { First = first, End = end };
        (span.NextPosition, var nextEnd) = PositionsOf(Runs->After(run));
        span.NextGradients = span.Gradients.Run(span.NextPosition, nextEnd);
        span.NextInputs = InputPadding.Copied(Plan, X, span.NextPosition, nextEnd);
        span.RunAll(share);
    }

    private readonly (int First, int End) PositionsOf(BlockRun run) =>
        (Math.Min(run.First * Block, Plan.Shape.Positions), Math.Min(run.End * Block, Plan.Shape.Positions));

    /// <summary>Adds the sums of a run's blocks to the totals, block by block, and leaves zeros for the next run.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Add(BlockRun run, float* sums)
    {
        nint length = Plan.Shape.T * Span.RowStride;
        if (run.First == 0)
            new Span<float>(Span.Output, (int)length).Clear();
        var zero = TOps.Broadcast(0f);
        var end = sums + (run.End - run.First) * Span.BlockStride;
        for (var totals = Span.Output; totals < Span.Output + length; totals += TOps.Width, sums += TOps.Width, end += TOps.Width)
        {
            var total = TOps.Load(totals);
            for (var added = sums; added < end; added += Span.BlockStride)
            {
                total = TOps.Add(total, TOps.Load(added));
                TOps.Store(added, zero);
            }

            TOps.Store(totals, total);
        }
    }
}
