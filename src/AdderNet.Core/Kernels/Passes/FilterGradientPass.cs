using System.Runtime.CompilerServices;

namespace AdderNet.Core.Kernels;

/// <summary>
/// Filter gradients: rows are filters, lanes are terms over (tap, channel), and the sums run over positions in blocks. The
/// result is in that order, [T, PaddedTerms]; <see cref="FilterGradientEnd"/> brings it into canonical order.
/// </summary>
internal static unsafe class FilterGradientPass<TOps, TVector, TTile>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TTile : struct, ITile
{
    private const int Block = SummationOrder.PositionBlock;

    /// <param name="plan">Plan of the shape.</param>
    /// <param name="x">[N, H, W, C].</param>
    /// <param name="own">Filters in the order of the result where the step wants them, else null.</param>
    /// <param name="g">[P, T].</param>
    /// <param name="threads">Threads, scratch memory and plans.</param>
    public static float* Run(ConvolutionPlan plan, float* x, float* own, float* g, ComputeThreads threads)
    {
        var shape = plan.Shape;
        var split = new PanelSplit(shape.FilterElements, TOps.Width, TOps.TileVectors);
        var padded = InputPadding.Prepare(plan, x, threads);

        // Tiles may read (not store) rows beyond the last filter.
        var transposed = threads.Workspace.Take<float>(WorkspaceSlot.TransposedGradient, (long)(shape.T * (long)((shape.Positions + Block - 1) / Block) + ConvolutionPlan.TableSlack) * Block);
        threads.Split((shape.Positions + Block - 1) / Block, new TransposeJob { Filters = shape.T, Positions = shape.Positions, Source = g, Destination = transposed });

        var result = threads.Workspace.Take<float>(WorkspaceSlot.OrderedGradient, (long)(shape.T + ConvolutionPlan.TableSlack) * split.PaddedColumns);

        // Panels are what is split over threads; where they are few, dozens of filters as well.
        var filterGroups = (shape.T + ConvolutionPlan.TableSlack - 1) / ConvolutionPlan.TableSlack;
        if (split.Count >= 2 * threads.Count || threads.Count == 1)
            filterGroups = 1;
        threads.Split(split.Count * filterGroups, new Job
        {
            Shape = shape,
            PaddedWidth = plan.PaddedWidth,
            RowTerms = plan.RowTerms,
            PaddedTerms = split.PaddedColumns,
            FilterGroups = filterGroups,
            RowOffsets = Pinned.Address(plan.RowOffsets),
            Input = padded,
            Transposed = transposed,
            Own = own,
            Output = result,
        });
        return result;
    }

    /// <summary>Blocks of [position, filter] to blocks of [filter, position].</summary>
    private struct TransposeJob : ISplitJob
    {
        public int Filters;
        public int Positions;
        public float* Source;
        public float* Destination;

        public readonly void Run(int first, int end)
        {
            for (var block = first; block < end; block++)
            {
                var destination = Destination + (long)block * Filters * Block;
                var length = Math.Min(Block, Positions - block * Block);
                BlockTranspose.Run(Source + (long)block * Block * Filters, Filters, length, Filters, destination, Block);
            }
        }
    }

    private struct Job : ISplitJob
    {
        public ConvolutionShape Shape;
        public int PaddedWidth;
        public int RowTerms;
        public int PaddedTerms;
        public int FilterGroups;
        public int* RowOffsets;
        public float* Input;
        public float* Transposed;
        public float* Own;
        public float* Output;

        public readonly void Run(int first, int end)
        {
            var split = new PanelSplit(Shape.FilterElements, TOps.Width, TOps.TileVectors);
            for (var item = first; item < end; item++)
            {
                var group = item % FilterGroups;
                var filtersEach = (Shape.T + FilterGroups - 1) / FilterGroups;
                Sweep(split[item / FilterGroups], group * filtersEach, Math.Min((group + 1) * filtersEach, Shape.T));
            }
        }

        [SkipLocalsInit]
        private readonly void Sweep(Panel panel, int firstFilter, int endFilter)
        {
            var width = panel.Vectors * TOps.Width;
            var gathered = stackalloc float[Block * 4 * 16 + 16];
            var pieces = stackalloc TileSegment[width + 1];
            var pieceCount = Pieces(panel.First, Math.Min(panel.First + width, Shape.FilterElements), pieces);

            var tileRows = TTile.Rows(panel.Vectors);
            var rowOffsets = stackalloc int[ConvolutionPlan.TableSlack];
            var outputOffsets = stackalloc int[ConvolutionPlan.TableSlack];
            for (var row = 0; row < ConvolutionPlan.TableSlack; row++)
            {
                rowOffsets[row] = row * Block;
                outputOffsets[row] = row * PaddedTerms;
            }

            var segment = new TileSegment(0, 0, 0);
            var call = new TileCall
            {
                RowOffsets = rowOffsets,
                OutputOffsets = outputOffsets,
                Segments = &segment,
                SegmentCount = 1,
                Panel = gathered,
                PanelStride = width,
                LastLanes = TOps.Width,
            };
            for (var block = 0; block * Block < Shape.Positions; block++)
            {
                var length = Math.Min(Block, Shape.Positions - block * Block);
                segment = new TileSegment(0, length, 0);
                Gather(RowOffsets + block * Block, length, pieces, pieceCount, gathered, width);
                call.Accumulate = block > 0;
                for (var t = firstFilter; t < endFilter; t += tileRows)
                {
                    call.Rows = Transposed + ((long)block * Shape.T + t) * Block;
                    call.Output = Output + (long)t * PaddedTerms + panel.First;
                    call.Own = Own == null ? null : Own + (long)t * PaddedTerms + panel.First;
                    call.ValidRows = Math.Min(tileRows, endFilter - t);
                    TTile.Run(panel.Vectors, call);
                }
            }
        }

        /// <summary>The panel's terms as runs of input elements: Offset from the position's window, FirstTerm within the panel.</summary>
        private readonly int Pieces(int firstTerm, int endTerm, TileSegment* pieces)
        {
            var count = 0;
            for (var term = firstTerm; term < endTerm;)
            {
                var (row, within) = (term / RowTerms, term % RowTerms);
                var length = Math.Min(RowTerms - within, endTerm - term);
                pieces[count++] = new TileSegment(row * PaddedWidth * Shape.C + within, length, term - firstTerm);
                term += length;
            }

            return count;
        }

        /// <summary>Copies the panel's inputs of a block of positions to [position, lane]. Copies round up; what follows overwrites the excess.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Gather(int* offsets, int length, TileSegment* pieces, int pieceCount, float* gathered, int width)
        {
            for (var p = 0; p < length; p++, gathered += width)
            {
                var source = Input + offsets[p];
                for (var piece = pieces; piece < pieces + pieceCount; piece++)
                {
                    for (var lane = 0; lane < piece->Length; lane += TOps.Width)
                        TOps.Store(gathered + piece->FirstTerm + lane, TOps.Load(source + piece->Offset + lane));
                }
            }
        }
    }
}
