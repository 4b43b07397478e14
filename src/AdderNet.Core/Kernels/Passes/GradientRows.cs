using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace AdderNet.Core.Kernels;

/// <summary>
/// Output gradients as the tiles of filter gradients read them, a span of positions at a time: where they lie, or, where there are so many
/// filters or channels that positions would collide in the caches, packed as [line of 16 filters, position, filter].
/// The sums over positions that eq. 5 wants come along.
/// </summary>
internal readonly unsafe struct GradientRows<TOps, TVector>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    private const int Block = SummationOrder.PositionBlock;

    /// <summary>Filters up to which tiles read gradients where they lie: packing costs more than it gains there.</summary>
    private const int DirectFilters = 256;

    /// <summary>Channels from which a single tap's inputs, read where they lie as well, would contend with gradients for few sets of the caches.</summary>
    private const int CollidingChannels = 512;

    /// <summary>Filters of a packed line; also the elements between one position and the next.</summary>
    private const int Line = 16;

    /// <summary>Elements of a packed line.</summary>
    private const int LineLength = Block * Line;

    /// <summary>Rows that tiles read beyond the last filter: those of two of the tallest.</summary>
    private const int Excess = 2 * Line;

    /// <summary>How far ahead packing asks for gradients.</summary>
    private const int PositionsAhead = 16;

    /// <summary>Chains that are summed side by side.</summary>
    private const int Together = 4;

    private readonly float* gradient;
    private readonly int filters;
    private readonly int padded;
    private readonly int blocks;
    private readonly float* packed;
    private readonly float* sums;
    private readonly int lineStride;

    /// <param name="shape">The layer.</param>
    /// <param name="g">[P, T].</param>
    /// <param name="spanBlocks">Most blocks of a span.</param>
    /// <param name="threads">Give the memory.</param>
    public GradientRows(in ConvolutionShape shape, float* g, int spanBlocks, ComputeThreads threads)
    {
        gradient = g;
        filters = shape.T;
        padded = (filters + TOps.Width - 1) / TOps.Width * TOps.Width;
        blocks = (shape.Positions + Block - 1) / Block;
        packed = Packs(shape) ? threads.Workspace.Take<float>(WorkspaceSlot.PackedGradient, (long)spanBlocks * Length(shape)) : null;
        BlockLength = packed == null ? filters * Block : LineLength;
        lineStride = spanBlocks * LineLength;
        sums = threads.Workspace.Take<float>(WorkspaceSlot.BlockSums, (long)blocks * padded);
        Totals = threads.Workspace.Take<float>(WorkspaceSlot.GradientSums, padded);
        Offsets = threads.Workspace.Take<int>(WorkspaceSlot.PackedRows, filters + Excess);
        for (var t = 0; t < filters + Excess; t++)
            Offsets[t] = packed == null ? Math.Min(t, filters - 1) : Place(Math.Min(t, filters - 1));
    }

    /// <summary>Each filter's sum over all positions, with the filling of the last vector.</summary>
    public float* Totals { get; }

    /// <summary>For each filter (and those that tiles read beyond the last one) where it begins, relative to a block.</summary>
    public int* Offsets { get; }

    /// <summary>Elements between one position and the next.</summary>
    public int Stride => packed == null ? filters : Line;

    /// <summary>Elements between a block of positions and the next.</summary>
    public int BlockLength { get; }

    /// <summary>Elements of a block of positions.</summary>
    public static int Length(in ConvolutionShape shape) => Packs(shape) ? (shape.T + Line - 1) / Line * LineLength : shape.T * Block;

    /// <summary>The block that begins at a position of the span.</summary>
    /// <param name="position">The position.</param>
    /// <param name="firstPosition">The span's first.</param>
    public float* BlockAt(int position, int firstPosition) =>
        packed == null ? gradient + (nint)position * filters : packed + (nint)((position - firstPosition) / Block) * BlockLength;

    /// <summary>Has a tile that asks for no other run ask for the packed lines behind those of its last filter, a position a term: hardware foresees them within a page only.</summary>
    public void AskBehind(ref TileAhead ahead, int lastFilter, int position, int firstPosition)
    {
        var next = (lastFilter / Line + 1) * Line;
        if (packed != null && next < filters && ahead.Run == null)
            ahead.Run = BlockAt(position, firstPosition) + Place(next);
    }

    /// <summary>The gradients of some positions as they lie.</summary>
    public ElementRun Run(int position, int endPosition) => new() { First = gradient + (nint)position * filters, Length = (nint)(endPosition - position) * filters };

    /// <summary>Sums, and packs where that is wanted, one of as many parts of a span's gradients as there are shares.</summary>
    public void Prepare(int firstPosition, int endPosition, int share, int shares)
    {
        // A chain is a vector of filters over a block.
        var chains = (endPosition - firstPosition + Block - 1) / Block * Vectors;
        var items = (chains + Together - 1) / Together;
        for (var item = (int)((long)items * share / shares); item < (int)((long)items * (share + 1) / shares); item++)
        {
            var (chain, end) = (item * Together, Math.Min((item + 1) * Together, chains));
            if (AreFull(chain, endPosition - firstPosition))
            {
                if (packed == null)
                    SumFour(firstPosition, chain);
                else
                    PackFour(firstPosition, chain);
                continue;
            }

            for (; chain < end; chain++)
                TakeOne(firstPosition, chain, Math.Min(Block, endPosition - firstPosition - chain / Vectors * Block));
        }
    }

    /// <summary>Adds each filter's sums over the blocks, all of which have been prepared, to totals.</summary>
    public void AddToTotals()
    {
        new Span<float>(Totals, padded).Clear();
        var end = sums + (nint)blocks * padded;
        for (var added = sums; added < end; added += padded)
        {
            for (var t = 0; t < padded; t += TOps.Width)
                TOps.Store(Totals + t, TOps.Add(TOps.Load(Totals + t), TOps.Load(added + t)));
        }
    }

    /// <summary>Whether gradients are packed.</summary>
    public static bool Packs(in ConvolutionShape shape) =>
        shape.T > DirectFilters || (shape.KernelHeight * shape.KernelWidth == 1 && shape.C >= CollidingChannels);

    private int Place(int t) => t / Line * lineStride + t % Line;

    private int Vectors => padded / TOps.Width;

    /// <summary>Whether some chains from that one on have all positions of their blocks and all lanes.</summary>
    private bool AreFull(int chain, int positions) =>
        ((chain + Together - 1) / Vectors + 1) * Block <= positions && (padded == filters || chain % Vectors + Together < Vectors);

    private float* Source(int firstPosition, int chain) =>
        gradient + (firstPosition + (nint)(chain / Vectors) * Block) * filters + chain % Vectors * TOps.Width;

    private float* Destination(int chain) => packed + (nint)(chain / Vectors) * BlockLength + Place(chain % Vectors * TOps.Width);

    private float* SumsOf(int firstPosition, int chain) => sums + (nint)(firstPosition / Block) * padded + (nint)chain * TOps.Width;

    /// <summary>Each sum waits for the one before; four at a time do not, of one block or of some.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void SumFour(int firstPosition, int chain)
    {
        nint step = filters;
        float* from0 = Source(firstPosition, chain);
        float* from1 = Source(firstPosition, chain + 1);
        float* from2 = Source(firstPosition, chain + 2);
        float* from3 = Source(firstPosition, chain + 3);
        TVector sum0 = default, sum1 = default, sum2 = default, sum3 = default;
        for (nint at = 0; at < Block * step; at += step)
        {
            sum0 = TOps.Add(sum0, TOps.Load(from0 + at));
            sum1 = TOps.Add(sum1, TOps.Load(from1 + at));
            sum2 = TOps.Add(sum2, TOps.Load(from2 + at));
            sum3 = TOps.Add(sum3, TOps.Load(from3 + at));
        }

        StoreFour(firstPosition, chain, sum0, sum1, sum2, sum3);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PackFour(int firstPosition, int chain)
    {
        nint step = filters;
        float* from0 = Source(firstPosition, chain);
        float* from1 = Source(firstPosition, chain + 1);
        float* from2 = Source(firstPosition, chain + 2);
        float* from3 = Source(firstPosition, chain + 3);
        float* to0 = Destination(chain);
        float* to1 = Destination(chain + 1);
        float* to2 = Destination(chain + 2);
        float* to3 = Destination(chain + 3);
        TVector sum0 = default, sum1 = default, sum2 = default, sum3 = default;
        nint at = 0;
        for (nint to = 0; to < LineLength; to += Line, at += step)
        {
            // Positions lie pages apart, where hardware does not foresee them.
            if (Sse.IsSupported)
            {
                var ahead = at + PositionsAhead * step;
                Sse.Prefetch1(from0 + ahead);
                Sse.Prefetch1(from1 + ahead);
                Sse.Prefetch1(from2 + ahead);
                Sse.Prefetch1(from3 + ahead);
            }

            var value0 = TOps.Load(from0 + at);
            var value1 = TOps.Load(from1 + at);
            var value2 = TOps.Load(from2 + at);
            var value3 = TOps.Load(from3 + at);
            TOps.Store(to0 + to, value0);
            TOps.Store(to1 + to, value1);
            TOps.Store(to2 + to, value2);
            TOps.Store(to3 + to, value3);
            sum0 = TOps.Add(sum0, value0);
            sum1 = TOps.Add(sum1, value1);
            sum2 = TOps.Add(sum2, value2);
            sum3 = TOps.Add(sum3, value3);
        }

        StoreFour(firstPosition, chain, sum0, sum1, sum2, sum3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void StoreFour(int firstPosition, int chain, TVector sum0, TVector sum1, TVector sum2, TVector sum3)
    {
        float* blockSums = SumsOf(firstPosition, chain);
        TOps.Store(blockSums, sum0);
        TOps.Store(blockSums + TOps.Width, sum1);
        TOps.Store(blockSums + 2 * TOps.Width, sum2);
        TOps.Store(blockSums + 3 * TOps.Width, sum3);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void TakeOne(int firstPosition, int chain, int length)
    {
        var lanes = Math.Min(TOps.Width, filters - chain % Vectors * TOps.Width);
        var source = Source(firstPosition, chain);
        var destination = packed == null ? null : Destination(chain);
        TVector sum = default;
        for (var p = 0; p < length; p++, source += filters)
        {
            var value = lanes == TOps.Width ? TOps.Load(source) : TOps.LoadPart(source, lanes);
            if (destination != null)
                TOps.Store(destination + (nint)p * Line, value);
            sum = TOps.Add(sum, value);
        }

        TOps.Store(SumsOf(firstPosition, chain), sum);
    }
}
