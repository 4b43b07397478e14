namespace AdderNet.Core.Kernels;

/// <summary>What the passes of one shape need to know, worked out when first asked for: where rows begin and how terms run.</summary>
internal sealed class ConvolutionPlan(ConvolutionShape shape)
{
    /// <summary>Most positions that a tile of filter gradients takes in one go.</summary>
    public const int TilePositions = 3 * SummationOrder.PositionBlock;

    private GatherPlan? outputs;
    private GatherPlan? inputs;
    private int[]? termOrder;
    private int[]? tapRanks;
    private byte[]? absentTaps;
    private int[]? windows;

    public ConvolutionShape Shape { get; } = shape;

    /// <summary>Outputs gathered from inputs.</summary>
    public GatherPlan Outputs => outputs ??= GatherPlan.OfOutputs(Shape);

    /// <summary>Input gradients gathered from output gradients.</summary>
    public GatherPlan Inputs => inputs ??= GatherPlan.OfInputs(Shape);

    /// <summary>For each element of a canonical filter (channel, tap), its place in the order of terms (tap, channel). Pinned.</summary>
    public int[] TermOrder => termOrder ??= OrderTerms();

    /// <summary>For each tap its place in filters packed for input gradients (<see cref="GatherPlan.TapRanks"/>). Pinned.</summary>
    public int[] TapRanks => tapRanks ??= Pinned.Copy(GatherPlan.TapRanks(Shape));

    /// <summary>For each class of output positions and each tap, 1 where the tap lies in the padding, else 0. Pinned.</summary>
    public byte[] AbsentTaps => absentTaps ??= FindAbsentTaps();

    /// <summary>First element of each output position's window within the padded input, with <see cref="TilePositions"/> zeros behind. Pinned.</summary>
    public int[] Windows => windows ??= FindWindows();

    public int PaddedHeight => Shape.H + 2 * Shape.Padding;

    public int PaddedWidth => Shape.W + 2 * Shape.Padding;

    /// <summary>Elements of a window that lie one after another: a tap row, or all of it where it spans the map's width.</summary>
    public int WindowRun => Shape.KernelWidth * Shape.C * (Shape.KernelWidth == PaddedWidth ? Shape.KernelHeight : 1);

    /// <summary>Whether filter gradients read inputs from a padded copy; vector reads round a row's end up, so rows of odd length need room behind it.</summary>
    public bool CopiesInput => Shape.Padding > 0 || WindowRun % 16 != 0;

    /// <summary>Whether each output reads one pixel, always.</summary>
    public bool ReadsPixels => Shape is { KernelHeight: 1, KernelWidth: 1, Padding: 0 };

    private int[] OrderTerms()
    {
        var taps = Shape.KernelHeight * Shape.KernelWidth;
        var order = Pinned.Array<int>(Shape.FilterElements);
        for (var k = 0; k < order.Length; k++)
            order[k] = k % taps * Shape.C + k / taps;
        return order;
    }

    private byte[] FindAbsentTaps()
    {
        var taps = Shape.KernelHeight * Shape.KernelWidth;
        var absent = Pinned.Array<byte>(Outputs.Classes.Length * taps);
        for (var i = 0; i < absent.Length; i++)
            absent[i] = Outputs.Classes[i / taps].HasTap(i % taps / Shape.KernelWidth, i % taps % Shape.KernelWidth) ? (byte)0 : (byte)1;
        return absent;
    }

    private int[] FindWindows()
    {
        var offsets = Pinned.Array<int>(Shape.Positions + TilePositions);
        foreach (var p in new OutputPositions(Shape))
            offsets[p.Index] = checked(((p.N * PaddedHeight + p.Row * Shape.Stride) * PaddedWidth + p.Column * Shape.Stride) * Shape.C);
        return offsets;
    }
}
