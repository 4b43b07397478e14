using System.Runtime.CompilerServices;

namespace AdderNet.Core.Kernels;

/// <summary>Where tiles of filter gradients find a panel's inputs: where they lie, or gathered position by position, a few panels at once.</summary>
internal unsafe struct PanelInputs<TOps, TVector>
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    /// <summary>Most panels that take turns at each block of positions.</summary>
    private const int MostTogether = 4;

    /// <summary>Filters up to which gathering a panel would cost more than its scattered lines do.</summary>
    private const int DirectFilters = 256;

    /// <summary>Channels from which each position lies on a page of its own: reading a panel where it lies then takes as many translations of addresses as it has positions, filter after filter.</summary>
    private const int PageChannels = 4096 / sizeof(float);

    private readonly ConvolutionShape shape;
    private readonly PanelSplit split;
    private readonly int windowRun;
    private readonly int rowLength;
    private readonly float* gathered;
    private readonly int panelLength;

    /// <param name="plan">Plan of the shape.</param>
    /// <param name="split">The panels.</param>
    /// <param name="shares">Threads that gather, each into memory of its own.</param>
    /// <param name="threads">Give the memory.</param>
    public PanelInputs(ConvolutionPlan plan, PanelSplit split, int shares, ComputeThreads threads)
    {
        (shape, this.split, windowRun, rowLength) = (plan.Shape, split, plan.WindowRun, plan.PaddedWidth * plan.Shape.C);
        Windows = Pinned.Address(plan.Windows);
        HoldsAll = !plan.CopiesInput;

        // Copies into a panel round up.
        panelLength = ConvolutionPlan.TilePositions * split.WidestPanel + 16;
        gathered = threads.Workspace.Take<float>(WorkspaceSlot.GatheredInput, (long)shares * MostTogether * panelLength);
    }

    /// <summary>Panels that take turns at each block of positions: some, so that each position gives a long run of its inputs, but one where gathered copies would fill the second-level cache.</summary>
    public readonly int Together => GathersRuns && windowRun % split.WidestPanel == 0 ? 1 : MostTogether;

    /// <summary>Whether panels that lie in one tap row are gathered too.</summary>
    private readonly bool GathersRuns => shape.T > DirectFilters || shape.C >= PageChannels;

    /// <summary>What windows count from.</summary>
    public float* Source { get; set; }

    /// <summary>Whether the source holds the windows of all positions, rather than those of a span.</summary>
    public bool HoldsAll { get; }

    /// <summary>First element of each position's window, relative to the source.</summary>
    public int* Windows { get; }

    /// <summary>Where a thread gathers a panel, of those gathered together.</summary>
    public readonly float* Gathered(int share, int panel) => gathered + (nint)(share * MostTogether + panel) * panelLength;

    /// <summary>The panel's inputs relative to a position's window where it is best read where it lies, else null.</summary>
    public readonly float* Direct(Panel panel)
    {
        var width = panel.Vectors * TOps.Width;
        return panel.First % windowRun + width <= windowRun && (width == windowRun || !GathersRuns) ? FirstOf(panel) : null;
    }

    /// <summary>Elements of some panels that follow one another in each window, from <see cref="FirstOf"/> the first of them on.</summary>
    public readonly int RunOf(Panel panel) => Math.Min(Together * split.WidestPanel, windowRun - panel.First % windowRun);

    /// <summary>The first element of a panel in a window that begins at the source.</summary>
    public readonly float* FirstOf(Panel panel) => Source + (nint)(panel.First / windowRun) * rowLength + panel.First % windowRun;

    /// <summary>Copies some panels' inputs of some positions to [panel][position, lane], but for panels that are read directly. Copies round up; what follows overwrites the excess.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Gather(int share, int firstPanel, int endPanel, bool all, int position, int length)
    {
        var pieces = stackalloc Piece[MostTogether * split.WidestPanel];
        var endPiece = pieces;
        for (var index = firstPanel; index < endPanel; index++)
        {
            if (all || Direct(split[index]) == null)
                endPiece = AddPieces(split[index], Gathered(share, index - firstPanel), endPiece);
        }

        for (var p = 0; p < length && pieces != endPiece; p++)
        {
            var source = Source + Windows[position + p];
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
        var endTerm = Math.Min(panel.First + width, shape.FilterElements);
        for (var term = panel.First; term < endTerm;)
        {
            var (row, within) = (term / windowRun, term % windowRun);
            var length = Math.Min(windowRun - within, endTerm - term);
            *pieces++ = new Piece { Offset = (nint)row * rowLength + within, Length = length, Destination = destination + term - panel.First, Stride = width };
            term += length;
        }

        return pieces;
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
