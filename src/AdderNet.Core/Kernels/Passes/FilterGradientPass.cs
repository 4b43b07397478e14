using System.Runtime.CompilerServices;

namespace AdderNet.Core.Kernels;

/// <summary>
/// Filter gradients: rows are filters, lanes are terms over (tap, channel), and the sums run over positions in blocks. The
/// sums are kept in that order, in rows of <see cref="FilterGradientEnd{TOps, TVector}.RowStride"/>; <see cref="FilterGradientEnd{TOps, TVector}"/> makes the gradient of them.
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

    /// <summary>Bytes of packed gradients that stay in the second-level cache while panels pass by them.</summary>
    private const int SpanBytes = 512 << 10;

    /// <summary>Panels gathered together, so that each position gives a long run of its inputs.</summary>
    private const int Together = 4;

    /// <summary>Panels a thread above which one more or less hardly matters.</summary>
    private const int ManyPanels = 16;

    private const int Block = SummationOrder.PositionBlock;

    /// <summary>Blocks that a tile takes in one go, since beginning and ending cost it as much as eight positions do.</summary>
    private const int BlocksOfTile = MostBlocksOfTile - 1;

    /// <summary>The same where only one block would be left behind.</summary>
    private const int MostBlocksOfTile = ConvolutionPlan.TilePositions / Block;

    /// <param name="plan">Plan of the shape.</param>
    /// <param name="x">[N, H, W, C].</param>
    /// <param name="own">Filters in the order of the result where the step wants them, else null.</param>
    /// <param name="g">[P, T].</param>
    /// <param name="filters">[T, C, kh, kw] where the gradient is corrected by F * sum_p G (paper, eq. 5 multiplied out), else null.</param>
    /// <param name="gradient">Receives [T, C, kh, kw].</param>
    /// <param name="threads">Threads, scratch memory and plans.</param>
    public static void Run(ConvolutionPlan plan, float* x, float* own, float* g, float* filters, float* gradient, ComputeThreads threads)
    {
        var shape = plan.Shape;
        var split = new PanelSplit(shape.FilterElements, TOps.Width, own == null ? PanelVectors(plan) : TOps.TileVectors);
        var shares = threads.Count;
        var blockLength = GradientPacking<TOps, TVector>.BlockLength(shape.T);
        var spanBlocks = Math.Min(Math.Max(SpanBytes / sizeof(float) / blockLength, MostBlocksOfTile), (shape.Positions + Block - 1) / Block);

        // Copies into a panel round up.
        var gatheredPanel = MostBlocksOfTile * Block * split.WidestPanel + 16;
        var rowStride = FilterGradientEnd<TOps, TVector>.RowStride(shape.FilterElements);
        var result = threads.Workspace.Take<float>(WorkspaceSlot.OrderedGradient, (long)(shape.T + TTile.Rows(3)) * rowStride);
        var packed = threads.Workspace.Take<float>(WorkspaceSlot.PackedGradient, (long)spanBlocks * blockLength);
        var sums = threads.Workspace.Take<float>(WorkspaceSlot.GradientSums, (shape.T + TOps.Width - 1) / TOps.Width * TOps.Width);
        var job = new Job
        {
            Shape = shape,
            Split = split,
            Shares = shares,

            // Panels are what is split over threads; where they are few, groups of filters as well.
            Parts = split.Count % shares == 0 || split.Count >= ManyPanels * shares ? 1 : shares,
            PaddedWidth = plan.PaddedWidth,
            WindowRun = plan.WindowRun,
            Windows = Pinned.Address(plan.Windows),
            Gradient = g,
            Input = InputPadding.Prepare(plan, x, threads),
            Own = own,
            Packed = packed,
            Rows = GradientPacking<TOps, TVector>.Rows(shape.T, threads),
            BlockLength = blockLength,
            Gathered = threads.Workspace.Take<float>(WorkspaceSlot.GatheredInput, (long)shares * Together * gatheredPanel),
            GatheredPanel = gatheredPanel,
            Output = result,
            RowStride = rowStride,
        };
        for (var first = 0; first < shape.Positions; first += spanBlocks * Block)
        {
            (job.FirstPosition, job.EndPosition) = (first, Math.Min(first + spanBlocks * Block, shape.Positions));
            GradientPacking<TOps, TVector>.Run(g, shape.T, job.FirstPosition, job.EndPosition, packed, sums, threads);
            threads.Split(shares, job);
        }

        new FilterGradientEnd<TOps, TVector>(shape, result, sums, filters, gradient).Write(threads);
    }

    /// <summary>Vectors of a panel: 3 where a panel then lies in one tap row.</summary>
    private static int PanelVectors(ConvolutionPlan plan)
    {
        const int three = 3;
        var widest = TOps.TileVectors;
        return widest > three && plan.WindowRun % (three * TOps.Width) == 0 && plan.WindowRun % (widest * TOps.Width) != 0 ? three : widest;
    }

    /// <summary>The tiles of a span of positions whose gradients are packed.</summary>
    private struct Job : ISplitJob
    {
        public ConvolutionShape Shape;
        public PanelSplit Split;
        public int Shares;
        public int Parts;
        public int PaddedWidth;
        public int WindowRun;
        public int* Windows;
        public float* Gradient;
        public float* Input;
        public float* Own;
        public float* Packed;
        public int* Rows;
        public int BlockLength;
        public float* Gathered;
        public int GatheredPanel;
        public float* Output;
        public int RowStride;
        public int FirstPosition;
        public int EndPosition;

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
            var gathered = Gathered + (long)share * Together * GatheredPanel;
            var ahead = NextSpan(share);
            AskForInputs(first / Parts, FirstPosition, ref ahead);
            for (var panel = first / Parts; panel * Parts < end; panel += Together)
            {
                var endPanel = Math.Min(panel + Together, (end + Parts - 1) / Parts);
                for (var (position, length) = (FirstPosition, TileLength(FirstPosition)); position < EndPosition; position += length, length = TileLength(position))
                {
                    Gather(panel, endPanel, position, length, gathered);

                    // What is asked for before the last panel that is gathered would have left the second-level cache when it is wanted.
                    var asking = DirectPanel(Split[panel]) == null ? endPanel - 1 : panel;
                    for (var index = panel; index < endPanel; index++)
                    {
                        if (index == asking)
                            AskForNext(panel, endPanel, position + length, first, end, ref ahead);
                        RunPanel(Split[index], first - index * Parts, end - index * Parts, position, length, gathered + (index - panel) * GatheredPanel, ref ahead);
                    }
                }
            }
        }

        /// <summary>Behind the last position come the next panels, behind the last panels the next span.</summary>
        private readonly void AskForNext(int panel, int endPanel, int position, int first, int end, ref ReadAhead ahead)
        {
            if (position < EndPosition)
                AskForInputs(panel, position, ref ahead);
            else if (endPanel * Parts < end)
                AskForInputs(endPanel, FirstPosition, ref ahead);
            else
                AskForInputs(first / Parts, EndPosition, ref ahead);
        }

        /// <summary>Positions that tiles take from there on: whole blocks but for the span's last.</summary>
        private readonly int TileLength(int position)
        {
            var left = EndPosition - position;
            var blocks = Own != null ? 1 : left <= MostBlocksOfTile * Block ? MostBlocksOfTile : BlocksOfTile;
            return Math.Min(left, blocks * Block);
        }

        /// <summary>A thread's share of the gradients that are packed next.</summary>
        private readonly ReadAhead NextSpan(int share)
        {
            var next = (long)Math.Min(EndPosition - FirstPosition, Shape.Positions - EndPosition) * Shape.T;
            var (from, to) = (next * share / Shares, next * (share + 1) / Shares);
            return new ReadAhead(Gradient + (long)EndPosition * Shape.T + from, (nint)(to - from));
        }

        /// <summary>The inputs of a few panels at a block of positions, as far as they lie in one tap row.</summary>
        private readonly void AskForInputs(int panel, int position, ref ReadAhead ahead)
        {
            var first = Split[panel].First;
            var length = Math.Min(Together * Split.WidestPanel, WindowRun - first % WindowRun);
            ahead.GoTo(Input + (nint)(first / WindowRun) * PaddedWidth * Shape.C + first % WindowRun, Windows + position, length);
        }

        /// <summary>Some blocks of positions of one panel, for those of its parts that are within the bounds.</summary>
        private readonly void RunPanel(Panel panel, int firstPart, int endPart, int position, int length, float* gathered, ref ReadAhead ahead)
        {
            var rows = TTile.Rows(panel.Vectors);
            var groups = (Shape.T + rows - 1) / rows;
            var firstFilter = groups * Math.Max(firstPart, 0) / Parts * rows;
            var endFilter = Math.Min(groups * Math.Min(endPart, Parts) / Parts * rows, Shape.T);
            var packed = Packed + (nint)((position - FirstPosition) / Block) * BlockLength;
            if (DirectPanel(panel) is var place && place != null)
                Sweep<TDirectTile>(panel, position, length, firstFilter, endFilter, packed, place, Windows + position, ref ahead);
            else
                Sweep<TTile>(panel, position, length, firstFilter, endFilter, packed, gathered, null, ref ahead);
        }

        /// <summary>The panel's inputs relative to a position's window where it is best read where it lies, else null.</summary>
        private readonly float* DirectPanel(Panel panel)
        {
            var width = panel.Vectors * TOps.Width;
            return Own == null && panel.First % WindowRun + width <= WindowRun && (width == WindowRun || Shape.T <= DirectFilters)
                ? Input + (nint)(panel.First / WindowRun) * PaddedWidth * Shape.C + panel.First % WindowRun
                : null;
        }

        private readonly void Sweep<TSweepTile>(Panel panel, int position, int length, int firstFilter, int endFilter, float* packed, float* inputs, int* table, ref ReadAhead ahead)
            where TSweepTile : struct, ITile
        {
            var tileRows = TSweepTile.Rows(panel.Vectors);
            var outputOffsets = stackalloc int[2 * tileRows];
            for (var row = 0; row < 2 * tileRows; row++)
                outputOffsets[row] = row * RowStride;
            var segments = stackalloc TileSegment[MostBlocksOfTile];
            var count = 0;
            for (var first = 0; first < length; first += Block, count++)
                segments[count] = new TileSegment(count * BlockLength, Math.Min(Block, length - first), first, 1);
            var call = new TileCall
            {
                Rows = packed,
                RowStride = GradientPacking<TOps, TVector>.Line,
                OutputOffsets = outputOffsets,
                Segments = segments,
                SegmentCount = count,
                Panel = inputs,
                PanelTable = table,
                PanelStride = panel.Vectors * TOps.Width,
                LastLanes = TOps.Width,
                Accumulate = true,
            };
            for (int t = firstFilter, rows; t < endFilter; t += rows)
            {
                rows = TSweepTile.NextRows(panel.Vectors, endFilter - t);
                call.RowOffsets = Rows + t;
                call.Output = Output + (long)t * RowStride + panel.First;
                call.Own = Own == null ? null : Own + (long)t * RowStride + panel.First;
                call.ValidRows = rows;
                for (var row = 0; row < rows && position == 0; row++)
                    new Span<float>(call.Output + outputOffsets[row], panel.Vectors * TOps.Width).Clear();
                call.Ahead = ahead.Take(length);
                TSweepTile.Run(panel.Vectors, call);
            }
        }

        /// <summary>Copies some panels' inputs of some positions to [panel][position, lane]. Copies round up; what follows overwrites the excess.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Gather(int firstPanel, int endPanel, int position, int length, float* gathered)
        {
            var pieces = stackalloc Piece[Together * Split.WidestPanel];
            var endPiece = pieces;
            for (var index = firstPanel; index < endPanel; index++)
            {
                if (DirectPanel(Split[index]) == null)
                    endPiece = AddPieces(Split[index], gathered + (index - firstPanel) * GatheredPanel, endPiece);
            }

            for (var p = 0; p < length && pieces != endPiece; p++)
            {
                var source = Input + Windows[position + p];
                for (var piece = pieces; piece < endPiece; piece++)
                {
                    var from = source + piece->Offset;
                    var to = piece->Destination;
                    for (nint lane = 0; lane < piece->Length; lane += TOps.Width)
                        TOps.Store(to + lane, TOps.Load(from + lane));
                    piece->Destination = to + piece->Stride;
                }
            }
        }

        /// <summary>A panel's terms as runs of input elements.</summary>
        private readonly Piece* AddPieces(Panel panel, float* destination, Piece* pieces)
        {
            var width = panel.Vectors * TOps.Width;
            var endTerm = Math.Min(panel.First + width, Shape.FilterElements);
            for (var term = panel.First; term < endTerm;)
            {
                var (row, within) = (term / WindowRun, term % WindowRun);
                var length = Math.Min(WindowRun - within, endTerm - term);
                *pieces++ = new Piece { Offset = (nint)row * PaddedWidth * Shape.C + within, Length = length, Destination = destination + term - panel.First, Stride = width };
                term += length;
            }

            return pieces;
        }
    }

    /// <summary>A run of input elements that a panel reads at each position.</summary>
    private struct Piece
    {
        /// <summary>First element, from where the position's window begins.</summary>
        public nint Offset;

        public nint Length;

        /// <summary>Where the run of the next position goes.</summary>
        public float* Destination;

        public nint Stride;
    }
}
