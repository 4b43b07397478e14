namespace AdderNet.Core.Kernels;

/// <summary>How tiles of filter gradients cut a span of positions, which begins at a block: some blocks in one go, since beginning and ending costs a tile as much as eight positions do.</summary>
/// <param name="First">The span's first position.</param>
/// <param name="End">Behind its last position.</param>
/// <param name="Blocks">Most blocks of a tile.</param>
internal readonly record struct PositionTiles(int First, int End, int Blocks)
{
    /// <summary>Most blocks that a tile can take.</summary>
    public const int MostBlocks = ConvolutionPlan.TilePositions / SummationOrder.PositionBlock;

    /// <summary>Tiles that the span is cut into.</summary>
    public int Count
    {
        get
        {
            var count = 0;
            for (var position = First; position < End; position += Length(position))
                count++;
            return count;
        }
    }

    /// <summary>Positions that a tile takes from there on: whole blocks but for the span's last; two at a time, three where one would be left behind.</summary>
    public int Length(int position)
    {
        var left = End - position;
        var blocks = left <= Blocks * SummationOrder.PositionBlock ? Blocks : Math.Max(Blocks - 1, 1);
        return Math.Min(left, blocks * SummationOrder.PositionBlock);
    }
}
