using System.Runtime.CompilerServices;

namespace AdderNet.Core.Kernels;

/// <summary>A family of tiles with one step: 4, 2 or 1 vectors side by side.</summary>
internal interface ITile
{
    /// <summary>Rows of the tile with that many vectors; they divide <see cref="ConvolutionPlan.TableSlack"/>.</summary>
    static abstract int Rows(int vectors);

    static abstract void Run(int vectors, in TileCall call);
}

/// <summary>Tiles whose outputs have no operand of their own.</summary>
internal readonly struct RowTile<TOps, TVector, TStep> : ITile
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TStep : struct, IRowStep<TVector>
{
    public static int Rows(int vectors) => vectors == 1 ? 12 : 6;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run(int vectors, in TileCall call)
    {
        if (vectors == 4)
            RowTiles<TOps, TVector, TStep>.Run6x4(call);
        else if (vectors == 2)
            RowTiles<TOps, TVector, TStep>.Run6x2(call);
        else
            RowTiles<TOps, TVector, TStep>.Run12x1(call);
    }
}

/// <summary>Tiles whose outputs each have an operand of their own.</summary>
internal readonly struct OwnTile<TOps, TVector, TStep> : ITile
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
    where TStep : struct, IOwnStep<TVector>
{
    public static int Rows(int vectors) => vectors == 1 ? 6 : 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run(int vectors, in TileCall call)
    {
        if (vectors == 4)
            OwnTiles<TOps, TVector, TStep>.Run3x4(call);
        else if (vectors == 2)
            OwnTiles<TOps, TVector, TStep>.Run3x2(call);
        else
            OwnTiles<TOps, TVector, TStep>.Run6x1(call);
    }
}
