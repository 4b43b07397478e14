using System.Runtime.CompilerServices;

namespace AdderNet.Core.Kernels;

/// <summary>
/// Output gradients as the tiles of filter gradients read them, a span of positions at a time: where they lie, or, where there are so many
/// filters that positions would collide in the caches, packed as [block of positions, line of 16 filters, position, filter].
/// The sums over positions that eq. 5 wants come along.
/// </summary>
internal readonly unsafe struct GradientRows<TOps, TVector>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    private const int Block = SummationOrder.PositionBlock;

    /// <summary>Filters up to which tiles read gradients where they lie: packing costs more than it gains there.</summary>
    private const int DirectFilters = 256;

    /// <summary>Filters of a packed line; also the elements between one position and the next.</summary>
    private const int Line = 16;

    /// <summary>Elements of a packed line.</summary>
    private const int LineLength = Block * Line;

    /// <summary>Rows that tiles read beyond the last filter.</summary>
    private const int Excess = 2 * GatherPlan.Group;

    /// <summary>Vectors of filters that are summed side by side.</summary>
    private const int Together = 4;

    private readonly float* gradient;
    private readonly int filters;
    private readonly int padded;
    private readonly float* packed;
    private readonly float* sums;

    /// <param name="g">[P, filters].</param>
    /// <param name="filters">Number of filters.</param>
    /// <param name="spanBlocks">Most blocks of a span.</param>
    /// <param name="threads">Give the memory.</param>
    public GradientRows(float* g, int filters, int spanBlocks, ComputeThreads threads)
    {
        gradient = g;
        this.filters = filters;
        padded = (filters + TOps.Width - 1) / TOps.Width * TOps.Width;
        packed = Packs(filters) ? threads.Workspace.Take<float>(WorkspaceSlot.PackedGradient, (long)spanBlocks * Length(filters)) : null;
        sums = threads.Workspace.Take<float>(WorkspaceSlot.BlockSums, (long)spanBlocks * padded);
        Totals = threads.Workspace.Take<float>(WorkspaceSlot.GradientSums, padded);
        Offsets = threads.Workspace.Take<int>(WorkspaceSlot.PackedRows, filters + Excess);
        for (var t = 0; t < filters + Excess; t++)
            Offsets[t] = packed == null ? Math.Min(t, filters - 1) : Place(Math.Min(t, filters - 1));
    }

    /// <summary>Each filter's sum over all positions so far, with the filling of the last vector.</summary>
    public float* Totals { get; }

    /// <summary>For each filter (and those that tiles read beyond the last one) where it begins within a block.</summary>
    public int* Offsets { get; }

    /// <summary>Elements between one position and the next.</summary>
    public int Stride => packed == null ? filters : Line;

    /// <summary>Elements of a block of positions.</summary>
    public int BlockLength => Length(filters);

    /// <summary>Elements of a block of positions.</summary>
    public static int Length(int filters) => Packs(filters) ? (filters + Line - 1) / Line * LineLength : filters * Block;

    /// <summary>The block that begins at a position of the span.</summary>
    /// <param name="position">The position.</param>
    /// <param name="firstPosition">The span's first.</param>
    public float* BlockAt(int position, int firstPosition) =>
        packed == null ? gradient + (nint)position * filters : packed + (nint)((position - firstPosition) / Block) * BlockLength;

    /// <summary>The gradients of some positions as they lie.</summary>
    public ElementRun Run(int position, int endPosition) => new() { First = gradient + (nint)position * filters, Length = (nint)(endPosition - position) * filters };

    /// <summary>Sums, and packs where that is wanted, one of as many parts of a span's gradients as there are shares.</summary>
    public void Prepare(int firstPosition, int endPosition, int share, int shares)
    {
        var groups = (padded / TOps.Width + Together - 1) / Together;
        var items = (long)((endPosition - firstPosition + Block - 1) / Block) * groups;
        for (var item = (int)(items * share / shares); item < (int)(items * (share + 1) / shares); item++)
        {
            var (block, t) = (item / groups, item % groups * Together * TOps.Width);
            var position = firstPosition + block * Block;
            Take(position, Math.Min(Block, endPosition - position), t, block);
        }
    }

    /// <summary>Adds each filter's sum over each block of a span that is ready to its total; a first position of 0 starts the totals at +0.</summary>
    public void AddToTotals(int firstPosition, int endPosition)
    {
        if (firstPosition == 0)
            new Span<float>(Totals, padded).Clear();
        var added = sums;
        for (var position = firstPosition; position < endPosition; position += Block, added += padded)
        {
            for (var t = 0; t < padded; t += TOps.Width)
                TOps.Store(Totals + t, TOps.Add(TOps.Load(Totals + t), TOps.Load(added + t)));
        }
    }

    /// <summary>Whether gradients are packed.</summary>
    public static bool Packs(int filters) => filters > DirectFilters;

    private static int Place(int t) => t / Line * LineLength + t % Line;

    /// <summary>Sums, and packs where that is wanted, a few vectors of filters.</summary>
    private void Take(int position, int length, int t, int block)
    {
        var source = gradient + (nint)position * filters + t;
        var blockSums = sums + (nint)block * padded + t;
        var destination = packed == null ? null : packed + (nint)block * BlockLength;
        if (t + Together * TOps.Width <= filters)
        {
            if (packed == null)
                SumFour(source, length, blockSums);
            else
                PackFour(source, length, destination, t, blockSums);
            return;
        }

        for (; t < filters; t += TOps.Width, source += TOps.Width, blockSums += TOps.Width)
            TakeOne(source, length, Math.Min(TOps.Width, filters - t), packed == null ? null : destination + Place(t), blockSums);
    }

    /// <summary>Each sum waits for the one before; four at a time do not.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void SumFour(float* source, int length, float* blockSums)
    {
        nint width = TOps.Width;
        nint step = filters;
        TVector sum0 = default, sum1 = default, sum2 = default, sum3 = default;
        for (var p = 0; p < length; p++, source += step)
        {
            sum0 = TOps.Add(sum0, TOps.Load(source));
            sum1 = TOps.Add(sum1, TOps.Load(source + width));
            sum2 = TOps.Add(sum2, TOps.Load(source + 2 * width));
            sum3 = TOps.Add(sum3, TOps.Load(source + 3 * width));
        }

        TOps.Store(blockSums, sum0);
        TOps.Store(blockSums + width, sum1);
        TOps.Store(blockSums + 2 * width, sum2);
        TOps.Store(blockSums + 3 * width, sum3);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PackFour(float* source, int length, float* block, int t, float* blockSums)
    {
        nint width = TOps.Width;
        nint step = filters;
        TVector sum0 = default, sum1 = default, sum2 = default, sum3 = default;
        float* to0 = block + Place(t);
        float* to1 = block + Place(t + (int)width);
        float* to2 = block + Place(t + 2 * (int)width);
        float* to3 = block + Place(t + 3 * (int)width);
        nint end = length * Line;
        for (nint at = 0; at < end; at += Line, source += step)
        {
            var value0 = TOps.Load(source);
            var value1 = TOps.Load(source + width);
            var value2 = TOps.Load(source + 2 * width);
            var value3 = TOps.Load(source + 3 * width);
            TOps.Store(to0 + at, value0);
            TOps.Store(to1 + at, value1);
            TOps.Store(to2 + at, value2);
            TOps.Store(to3 + at, value3);
            sum0 = TOps.Add(sum0, value0);
            sum1 = TOps.Add(sum1, value1);
            sum2 = TOps.Add(sum2, value2);
            sum3 = TOps.Add(sum3, value3);
        }

        TOps.Store(blockSums, sum0);
        TOps.Store(blockSums + width, sum1);
        TOps.Store(blockSums + 2 * width, sum2);
        TOps.Store(blockSums + 3 * width, sum3);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void TakeOne(float* source, int length, int lanes, float* destination, float* blockSums)
    {
        TVector sum = default;
        for (var p = 0; p < length; p++, source += filters)
        {
            var value = lanes == TOps.Width ? TOps.Load(source) : TOps.LoadPart(source, lanes);
            if (destination != null)
                TOps.Store(destination + (nint)p * Line, value);
            sum = TOps.Add(sum, value);
        }

        TOps.Store(blockSums, sum);
    }
}
