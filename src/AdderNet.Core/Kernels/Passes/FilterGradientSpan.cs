namespace AdderNet.Core.Kernels;

/// <summary>The tiles of a span of positions whose gradients are ready.</summary>
/// <typeparam name="TOps">Vector operations.</typeparam>
/// <typeparam name="TVector">The register type.</typeparam>
/// <typeparam name="TTile">Tile for panels of inputs gathered position by position.</typeparam>
/// <typeparam name="TDirectTile">The same tile for panels that are read where they lie.</typeparam>
internal unsafe struct FilterGradientSpan<TOps, TVector, TTile, TDirectTile> : ISplitJob
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TTile : struct, ITile
    where TDirectTile : struct, ITile
{
    private const int Block = SummationOrder.PositionBlock;

    public ConvolutionShape Shape;
    public PanelSplit Split;
    public int Shares;
    public int Parts;
    public PanelInputs<TOps, TVector> Inputs;
    public float* Own;
    public GradientRows<TOps, TVector> Gradients;
    public float* Output;
    public int RowStride;
    public PositionTiles Positions;

    /// <summary>Elements from one block's sums to those of the next, from <see cref="Output"/> on; 0 where the blocks are added up there.</summary>
    public nint BlockStride;

    /// <summary>First position of the next span.</summary>
    public int NextPosition;

    /// <summary>Gradients of the next span.</summary>
    public ElementRun NextGradients;

    /// <summary>Inputs that are copied for the next span.</summary>
    public ElementRun NextInputs;

    /// <summary>An item is a thread's share of (panel, part of the filters).</summary>
    public readonly void Run(int first, int end)
    {
        for (var share = first; share < end; share++)
        {
            var units = (long)Split.Count * Parts;
            RunUnits(share, (int)(units * share / Shares), (int)(units * (share + 1) / Shares), NextGradients.Part(share, Shares), NextInputs.Part(share, Shares));
        }
    }

    /// <summary>All panels, by one of the threads alone.</summary>
    public readonly void RunAll(int share) => RunUnits(share, 0, Split.Count * Parts, NextGradients, NextInputs);

    private readonly void RunUnits(int share, int first, int end, ElementRun nextGradients, ElementRun nextInputs)
    {
        var ahead = new ReadAhead(nextGradients, nextInputs, SweepTiles(end - first) * Positions.Count);
        for (var panel = first / Parts; panel * Parts < end; panel += Inputs.Together)
        {
            var endPanel = Math.Min(panel + Inputs.Together, (end + Parts - 1) / Parts);
            for (int position = Positions.First, length; position < Positions.End; position += length)
            {
                length = Positions.Length(position);
                Inputs.Gather(share, panel, endPanel, Own != null, position, length);

                // What is asked for before the last panel that is gathered would have left the second-level cache when it is wanted.
                var asking = Direct(Split[panel]) == null ? endPanel - 1 : panel;
                for (var index = panel; index < endPanel; index++)
                {
                    if (index == asking)
                        AskForNext(panel, endPanel, position + length, first, end, SweepTiles((endPanel - index) * Parts), ref ahead);
                    RunPanel(Split[index], first - index * Parts, end - index * Parts, position, length, Inputs.Gathered(share, index - panel), ref ahead);
                }
            }
        }
    }

    /// <summary>Behind the last position come the next panels, behind the last panels the next span.</summary>
    private readonly void AskForNext(int panel, int endPanel, int position, int first, int end, long tiles, ref ReadAhead ahead)
    {
        if (position < Positions.End)
            AskForInputs(panel, position, tiles, ref ahead);
        else if (endPanel * Parts < end)
            AskForInputs(endPanel, Positions.First, tiles, ref ahead);
        else if (Inputs.HoldsAll)
            AskForInputs(first / Parts, NextPosition, tiles, ref ahead);
    }

    /// <summary>The inputs of a few panels at a block of positions, as far as they lie in one tap row.</summary>
    private readonly void AskForInputs(int panel, int position, long tiles, ref ReadAhead ahead) =>
        ahead.GoTo(Inputs.FirstOf(Split[panel]), Inputs.Windows + position, Inputs.RunOf(Split[panel]), tiles);

    /// <summary>About as many tiles as some parts of panels take at a block of positions.</summary>
    private readonly long SweepTiles(int parts) => Math.Max((long)parts * Shape.T / (TTile.Rows(Split[0].Vectors) * Parts), 1);

    private readonly float* Direct(Panel panel) => Own == null ? Inputs.Direct(panel) : null;

    /// <summary>Some blocks of positions of one panel, for those of its parts that are within the bounds.</summary>
    private readonly void RunPanel(Panel panel, int firstPart, int endPart, int position, int length, float* gathered, ref ReadAhead ahead)
    {
        var rows = TTile.Rows(panel.Vectors);
        var groups = (Shape.T + rows - 1) / rows;
        var firstFilter = groups * Math.Max(firstPart, 0) / Parts * rows;
        var endFilter = Math.Min(groups * Math.Min(endPart, Parts) / Parts * rows, Shape.T);
        if (Direct(panel) is var place && place != null)
            Sweep<TDirectTile>(panel, position, length, firstFilter, endFilter, place, Inputs.Windows + position, ref ahead);
        else
            Sweep<TTile>(panel, position, length, firstFilter, endFilter, gathered, null, ref ahead);
    }

    private readonly void Sweep<TSweepTile>(Panel panel, int position, int length, int firstFilter, int endFilter, float* inputs, int* table, ref ReadAhead ahead)
        where TSweepTile : struct, ITile
    {
        var tileRows = TSweepTile.Rows(panel.Vectors);
        var outputOffsets = stackalloc int[3 * tileRows];
        for (var row = 0; row < 3 * tileRows; row++)
            outputOffsets[row] = row * RowStride;
        var memory = stackalloc float[Own == null ? 0 : TileCall.TotalsLength];
        var segments = stackalloc TileSegment[PositionTiles.MostBlocks];
        var count = 0;
        for (var first = 0; first < length; first += Block, count++)
            segments[count] = new TileSegment(count * Gradients.BlockLength, Math.Min(Block, length - first), first, 1);
        var call = new TileCall
        {
            Rows = Gradients.BlockAt(position, Positions.First),
            RowStride = Gradients.Stride,
            OutputOffsets = outputOffsets,
            Segments = segments,
            SegmentCount = count,
            Panel = inputs,
            PanelTable = table,
            PanelStride = panel.Vectors * TOps.Width,
            LastLanes = TOps.Width,
            BlockStride = BlockStride,
            Totals = Own == null ? null : Workspace.Aligned(memory),
            Accumulate = true,
        };
        var output = Output + (position - Positions.First) / Block * BlockStride + panel.First;
        for (int t = firstFilter, rows; t < endFilter; t += rows)
        {
            rows = TSweepTile.NextRows(panel.Vectors, endFilter - t);
            call.RowOffsets = Gradients.Offsets + t;
            call.Output = output + (long)t * RowStride;
            call.Own = Own == null ? null : Own + (long)t * RowStride + panel.First;
            call.ValidRows = rows;
            for (var row = 0; row < rows && position == 0; row++)
                new Span<float>(call.Output + outputOffsets[row], panel.Vectors * TOps.Width).Clear();
            call.Ahead = ahead.Take(length);
            Gradients.AskBehind(ref call.Ahead, t + rows - 1, position, Positions.First);
            TSweepTile.Run(panel.Vectors, call);
        }
    }
}
