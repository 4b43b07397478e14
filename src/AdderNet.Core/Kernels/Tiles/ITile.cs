using System.Runtime.CompilerServices;

namespace AdderNet.Core.Kernels;

/// <summary>A family of tiles with one step: 4, 2 or 1 vectors side by side; row tiles 3 as well.</summary>
internal interface ITile
{
    /// <summary>Vectors side by side in the widest tile.</summary>
    static abstract int Vectors { get; }

    /// <summary>Most rows of the tile with that many vectors; in gathers they divide <see cref="GatherPlan.Group"/>, but for 3 vectors.</summary>
    static abstract int Rows(int vectors);

    /// <summary>Rows of the next tile where so many are left: a tile that is not full costs as much as a full one.</summary>
    static abstract int NextRows(int vectors, int left);

    /// <summary>Whether a call may have more rows than a tile, which then goes on over them.</summary>
    static abstract bool GoesOn { get; }

    static abstract void Run(int vectors, in TileCall call);
}

/// <summary>Tiles that go over many rows and are whole: all rows and lanes are wanted.</summary>
internal interface IWholeTile : ITile
{
    /// <summary>Runs the first rows of a call, a multiple of the tile's; all lanes are wanted, whatever the call says.</summary>
    static abstract void RunWhole(int vectors, in TileCall call, int rows);
}

/// <summary>Where a tile finds the vectors of its terms.</summary>
internal interface IPanel
{
    /// <summary>Whether term k is at Panel + PanelTable[k] rather than at Panel + k * PanelStride.</summary>
    static abstract bool HasTable { get; }

    /// <summary>Whether each term asks for a line of each of the two things that are read after this tile (<see cref="TileAhead"/>).</summary>
    static abstract bool ReadsAhead { get; }

    /// <summary>Whether blocks are added to the output one by one, in all of the tile's rows, rather than to totals that are added to it.</summary>
    static abstract bool SumsInPlace { get; }
}

/// <summary>One term after another.</summary>
internal readonly struct RunningPanel : IPanel
{
    public static bool HasTable => false;

    public static bool ReadsAhead => false;

    public static bool SumsInPlace => false;
}

/// <summary>One term after another, copied from inputs that lie scattered.</summary>
internal readonly struct GatheredPanel : IPanel
{
    public static bool HasTable => false;

    public static bool ReadsAhead => true;

    public static bool SumsInPlace => true;
}

/// <summary>Wherever a table says.</summary>
internal readonly struct TabledPanel : IPanel
{
    public static bool HasTable => true;

    public static bool ReadsAhead => true;

    public static bool SumsInPlace => true;
}

/// <summary>Tiles whose outputs have no operand of their own.</summary>
internal readonly struct RowTile<TOps, TVector, TStep, TPanel> : ITile
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TStep : struct, IRowStep<TVector>
    where TPanel : struct, IPanel
{
    private const int FewRows = 6;
    private const int ManyRows = 12;

    public static bool GoesOn => false;

    public static int Vectors => TOps.TileVectors;

    public static int Rows(int vectors) => vectors switch { 1 => TPanel.SumsInPlace ? NeighbourTiles<TOps, TVector, TStep, TPanel>.Rows : ManyRows, 3 => 8, _ => 6 };

    public static int NextRows(int vectors, int left)
    {
        var rows = Rows(vectors);
        if (vectors == 4 && left is 7 or 8)
            return 4;
        return left >= rows ? rows : Math.Min(left, vectors == 1 ? ManyRows : rows);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run(int vectors, in TileCall call)
    {
        if (vectors == 4 && call.ValidRows <= 4)
            RowTiles<TOps, TVector, TStep, TPanel, Size4x4>.Run(call);
        else if (vectors == 4)
            RowTiles<TOps, TVector, TStep, TPanel, Size6x4>.Run(call);
        else if (vectors == 3)
            RowTiles<TOps, TVector, TStep, TPanel, Size8x3>.Run(call);
        else if (vectors == 2)
            RowTiles<TOps, TVector, TStep, TPanel, Size6x2>.Run(call);
        else if (call.ValidRows > ManyRows)
            NeighbourTiles<TOps, TVector, TStep, TPanel>.Run16x1(call);
        else if (call.ValidRows > FewRows)
            RowTiles<TOps, TVector, TStep, TPanel, Size12x1>.Run(call);
        else
            RowTiles<TOps, TVector, TStep, TPanel, Size6x1>.Run(call);
    }
}

/// <summary>Tiles whose outputs each have an operand of their own.</summary>
internal readonly struct OwnTile<TOps, TVector, TStep> : IWholeTile
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TStep : struct, IOwnStep<TVector>
{
    public static bool GoesOn => true;

    public static int Vectors => TOps.TileVectors;

    public static int Rows(int vectors) => vectors == 1 ? 6 : 3;

    public static int NextRows(int vectors, int left) => Math.Min(left, Rows(vectors));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run(int vectors, in TileCall call)
    {
        var whole = call.LastLanes == TOps.Width ? call.ValidRows - call.ValidRows % Rows(vectors) : 0;
        RunWhole(vectors, call, whole);
        if (whole < call.ValidRows)
            TileEdge<TOps, TVector, OwnTile<TOps, TVector, TStep>>.Run(vectors, call, whole);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RunWhole(int vectors, in TileCall call, int rows)
    {
        if (vectors == 4)
            OwnTiles<TOps, TVector, TStep, Size3x4>.Run(call, rows);
        else if (vectors == 2)
            OwnTiles<TOps, TVector, TStep, Size3x2>.Run(call, rows);
        else
            OwnTiles<TOps, TVector, TStep, Size6x1>.Run(call, rows);
    }
}

/// <summary>Tiles of one vector and 12 rows, or 6 where no more are left, whose outputs have no operand of their own.</summary>
internal readonly struct TallTile<TOps, TVector, TStep> : IWholeTile
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TStep : struct, IRowStep<TVector>
{
    private const int FewRows = 6;

    public static bool GoesOn => true;

    public static int Vectors => 1;

    public static int Rows(int vectors) => GatherPlan.Group;

    public static int NextRows(int vectors, int left) => Math.Min(left, Rows(vectors));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run(int vectors, in TileCall call)
    {
        var whole = call.LastLanes == TOps.Width ? call.ValidRows - call.ValidRows % Rows(vectors) : 0;
        RunWhole(vectors, call, whole);
        if (call.ValidRows - whole > FewRows)
            TileEdge<TOps, TVector, TallTile<TOps, TVector, TStep>>.Run(vectors, call, whole);
        else if (whole < call.ValidRows)
            RunFew(call, whole);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void RunWhole(int vectors, in TileCall call, int rows)
    {
        if (HeldPanelTiles<TOps, TVector, TStep>.Suit(call))
            HeldPanelTiles<TOps, TVector, TStep>.Run(call, rows);
        else
            TallRowTiles<TOps, TVector, TStep>.Run12x1(call, rows);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void RunFew(in TileCall call, int first)
    {
        var few = call;
        few.RowOffsets += first;
        few.OutputOffsets += first;
        few.RowAddends += first;
        few.ValidRows -= first;
        RowTiles<TOps, TVector, TStep, RunningPanel, Size6x1>.Run(few);
    }
}
