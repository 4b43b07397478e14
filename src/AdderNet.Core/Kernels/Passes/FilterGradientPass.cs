using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace AdderNet.Core.Kernels;

/// <summary>
/// Filter gradients: rows are filters, lanes are terms over (tap, channel), and the sums run over positions in blocks. The
/// result is in that order, [T, PaddedTerms]; <see cref="FilterGradientEnd{TOps, TVector}"/> brings it into canonical order.
/// </summary>
/// <typeparam name="TOps">Vector operations.</typeparam>
/// <typeparam name="TVector">The register type.</typeparam>
/// <typeparam name="TTile">Tile for panels of inputs gathered position by position.</typeparam>
/// <typeparam name="TDirectTile">The same tile for panels that are read where they lie.</typeparam>
internal static unsafe class FilterGradientPass<TOps, TVector, TTile, TDirectTile>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TTile : struct, ITile
    where TDirectTile : struct, ITile
{
    /// <summary>Filters up to which gathering a panel would cost more than its scattered lines do.</summary>
    private const int DirectFilters = 128;

    private const int Block = SummationOrder.PositionBlock;

    /// <summary>Elements between one position and the next in packed blocks; that many filters at most lie side by side.</summary>
    private const int GroupStride = 8;

    /// <param name="plan">Plan of the shape.</param>
    /// <param name="x">[N, H, W, C].</param>
    /// <param name="own">Filters in the order of the result where the step wants them, else null.</param>
    /// <param name="g">[P, T].</param>
    /// <param name="threads">Threads, scratch memory and plans.</param>
    public static float* Run(ConvolutionPlan plan, float* x, float* own, float* g, ComputeThreads threads)
    {
        var shape = plan.Shape;
        var split = new PanelSplit(shape.FilterElements, TOps.Width, own == null ? PanelVectors(plan) : TOps.TileVectors);
        var padded = InputPadding.Prepare(plan, x, threads);
        var shares = threads.Count;
        var groupRows = TDirectTile.Rows(split[0].Vectors) is var rows && rows > GatherPlan.Group ? rows : GatherPlan.Group;
        var groups = (shape.T + groupRows - 1) / groupRows;
        var packedLength = groups * Block * GroupStride;
        var gatheredLength = Block * split.WidestPanel + 16;
        var result = threads.Workspace.Take<float>(WorkspaceSlot.OrderedGradient, (long)shape.T * split.PaddedColumns);
        threads.Split(shares, new Job
        {
            Shape = shape,
            Split = split,
            Shares = shares,

            // Panels are what is split over threads; where they are few, groups of filters as well.
            Parts = split.Count % shares == 0 || split.Count >= 4 * shares ? 1 : Math.Min(shares, groups),
            Groups = groups,
            GroupRows = groupRows,
            PaddedWidth = plan.PaddedWidth,
            WindowRun = plan.WindowRun,
            Windows = Pinned.Address(plan.Windows),
            Input = padded,
            Gradient = g,
            Own = own,
            Packed = threads.Workspace.Take<float>(WorkspaceSlot.PackedGradient, (long)shares * packedLength),
            PackedLength = packedLength,
            Gathered = threads.Workspace.Take<float>(WorkspaceSlot.GatheredInput, (long)shares * gatheredLength),
            GatheredLength = gatheredLength,
            Output = result,
        });
        return result;
    }

    /// <summary>Vectors of a panel: 3 where tap rows are made of so many and not of the widest tile's, so that a panel can be read where it lies.</summary>
    private static int PanelVectors(ConvolutionPlan plan)
    {
        const int three = 3;
        return TOps.TileVectors > three && plan.Shape.T <= DirectFilters && plan.WindowRun % (TOps.TileVectors * TOps.Width) != 0 && plan.WindowRun % (three * TOps.Width) == 0
            ? three
            : TOps.TileVectors;
    }

    private struct Job : ISplitJob
    {
        public ConvolutionShape Shape;
        public PanelSplit Split;
        public int Shares;
        public int Parts;
        public int Groups;
        public int GroupRows;
        public int PaddedWidth;
        public int WindowRun;
        public int* Windows;
        public float* Input;
        public float* Gradient;
        public float* Own;
        public float* Packed;
        public int PackedLength;
        public float* Gathered;
        public int GatheredLength;
        public float* Output;

        /// <summary>An item is a thread's share of (panel, part of the filters).</summary>
        public readonly void Run(int first, int end)
        {
            for (var share = first; share < end; share++)
            {
                var units = (long)Split.Count * Parts;
                RunShare(share, (int)(units * share / Shares), (int)(units * (share + 1) / Shares));
            }
        }

        private readonly void RunShare(int share, int first, int end)
        {
            var packed = Packed + (long)share * PackedLength;
            var gathered = Gathered + (long)share * GatheredLength;
            var hasPart = stackalloc bool[Parts];
            for (var block = 0; block * Block < Shape.Positions; block++)
            {
                new Span<bool>(hasPart, Parts).Clear();
                var length = Math.Min(Block, Shape.Positions - block * Block);
                for (var unit = first; unit < end; unit++)
                {
                    var (panel, part) = (Split[unit / Parts], unit % Parts);
                    var (firstGroup, endGroup) = (Groups * part / Parts, Groups * (part + 1) / Parts);
                    if (!hasPart[part])
                        Pack(block * Block, length, firstGroup, endGroup, packed);
                    hasPart[part] = true;
                    var windows = Windows + block * Block;
                    var endFilter = Math.Min(endGroup * GroupRows, Shape.T);
                    if (DirectPanel(panel) is var place && place != null)
                    {
                        Sweep<TDirectTile>(panel, block > 0, length, firstGroup * GroupRows, endFilter, packed, place, windows);
                        continue;
                    }

                    if (unit == first || part == 0)
                        Gather(panel, windows, length, gathered);
                    Sweep<TTile>(panel, block > 0, length, firstGroup * GroupRows, endFilter, packed, gathered, null);
                }
            }
        }

        /// <summary>The panel's inputs relative to a position's window where they lie in one run and few filters read them, else null.</summary>
        private readonly float* DirectPanel(Panel panel)
        {
            var width = panel.Vectors * TOps.Width;
            return Own == null && Shape.T <= DirectFilters && panel.First % WindowRun + width <= WindowRun
                ? Input + (nint)(panel.First / WindowRun) * PaddedWidth * Shape.C + panel.First % WindowRun
                : null;
        }

        private readonly void Sweep<TSweepTile>(Panel panel, bool accumulate, int length, int firstFilter, int endFilter, float* packed, float* inputs, int* table)
            where TSweepTile : struct, ITile
        {
            var tileRows = TSweepTile.Rows(panel.Vectors);
            var rowOffsets = stackalloc int[2 * GroupStride];
            var outputOffsets = stackalloc int[2 * GroupStride];
            for (var row = 0; row < 2 * GroupStride; row++)
                (rowOffsets[row], outputOffsets[row]) = (row, row * Split.PaddedColumns);
            var segment = new TileSegment(0, length, 0, 1);
            var call = new TileCall
            {
                RowOffsets = rowOffsets,
                RowStride = GroupStride,
                OutputOffsets = outputOffsets,
                Segments = &segment,
                SegmentCount = 1,
                Panel = inputs,
                PanelTable = table,
                PanelStride = panel.Vectors * TOps.Width,
                LastLanes = TOps.Width,
                Accumulate = accumulate,
            };
            for (var t = firstFilter; t < endFilter; t += tileRows)
            {
                call.Rows = packed + (long)(t / GroupRows) * Block * GroupStride + t % GroupRows;
                call.Output = Output + (long)t * Split.PaddedColumns + panel.First;
                call.Own = Own == null ? null : Own + (long)t * Split.PaddedColumns + panel.First;
                call.ValidRows = Math.Min(tileRows, endFilter - t);
                TSweepTile.Run(panel.Vectors, call);
            }
        }

        /// <summary>A block's gradients as [group of filters, position, filter]. Rows beyond the last filter hold anything: no tile stores theirs.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Pack(int firstPosition, int length, int firstGroup, int endGroup, float* packed)
        {
            nint filters = Shape.T;
            for (var group = firstGroup; group < endGroup; group++)
            {
                var source = Gradient + firstPosition * filters + group * GroupRows;
                var destination = packed + (long)group * Block * GroupStride;

                // Reads round up; behind the last position there may be nothing to read.
                var rounded = firstPosition + length < Shape.Positions || group * GroupRows + GroupStride <= filters ? length : length - GroupStride / (int)Math.Min(filters, GroupStride) - 1;
                var p = 0;
                for (; p < rounded; p++, source += filters, destination += GroupStride)
                    Vector256.Load(source).Store(destination);
                var rows = Math.Min(GroupRows, (int)filters - group * GroupRows);
                for (; p < length; p++, source += filters, destination += GroupStride)
                {
                    for (var row = 0; row < rows; row++)
                        destination[row] = source[row];
                }
            }
        }

        /// <summary>Copies the panel's inputs of a block of positions to [position, lane]. Copies round up; what follows overwrites the excess.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Gather(Panel panel, int* windows, int length, float* gathered)
        {
            nint width = panel.Vectors * TOps.Width;
            var pieces = stackalloc TileSegment[(int)width + 1];
            var pieceCount = Pieces(panel.First, (int)Math.Min(panel.First + width, Shape.FilterElements), pieces);
            for (var p = 0; p < length; p++, gathered += width)
            {
                var source = Input + windows[p];
                for (var piece = pieces; piece < pieces + pieceCount; piece++)
                {
                    var from = source + piece->Offset;
                    var to = gathered + piece->FirstTerm;
                    for (nint lane = 0; lane < piece->Length; lane += TOps.Width)
                        TOps.Store(to + lane, TOps.Load(from + lane));
                }
            }
        }

        /// <summary>The panel's terms as runs of input elements: Offset from the position's window, FirstTerm within the panel.</summary>
        private readonly int Pieces(int firstTerm, int endTerm, TileSegment* pieces)
        {
            var count = 0;
            for (var term = firstTerm; term < endTerm;)
            {
                var (row, within) = (term / WindowRun, term % WindowRun);
                var length = Math.Min(WindowRun - within, endTerm - term);
                pieces[count++] = new TileSegment(row * PaddedWidth * Shape.C + within, length, term - firstTerm, 0);
                term += length;
            }

            return count;
        }
    }
}
