namespace AdderNet.Core.Kernels;

/// <summary>Columns (filters, channels or terms) that one tile computes side by side.</summary>
/// <param name="First">First column.</param>
/// <param name="Vectors">Vectors side by side: 4, 2 or 1, or 3 where the split asks for it.</param>
/// <param name="LastLanes">Lanes of the last vector that are columns; the rest is filling.</param>
internal readonly record struct Panel(int First, int Vectors, int LastLanes);

/// <summary>How columns are split into panels as wide as tiles are: full panels first, then what is left in one or two smaller ones.</summary>
internal readonly struct PanelSplit(int columns, int width, int tileVectors)
{
    private readonly int vectors = (columns + width - 1) / width;

    public int Count => vectors / tileVectors + (vectors % tileVectors + 1) / 2;

    /// <summary>Columns with the filling of the last vector.</summary>
    public int PaddedColumns => vectors * width;

    /// <summary>Columns of the first, widest panel.</summary>
    public int WidestPanel => this[0].Vectors * width;

    public Panel this[int index]
    {
        get
        {
            var first = Math.Min(index, vectors / tileVectors) * tileVectors;
            if (index > vectors / tileVectors)
                first += 2;
            var side = Math.Min(tileVectors, vectors - first);
            if (side == 3 && tileVectors != 3)
                side = 2;
            return new Panel(first * width, side, first + side == vectors ? columns - (vectors - 1) * width : width);
        }
    }
}
