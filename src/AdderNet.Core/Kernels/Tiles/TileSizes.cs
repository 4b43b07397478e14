namespace AdderNet.Core.Kernels;

/// <summary>How many rows and vectors side by side a tile has: constants of the compiled code.</summary>
internal interface ITileSize
{
    static abstract int Rows { get; }

    static abstract int Vectors { get; }
}

/// <summary>12 rows by 1 vector.</summary>
internal readonly struct Size12x1 : ITileSize
{
    public static int Rows => 12;

    public static int Vectors => 1;
}

/// <summary>8 rows by 3 vectors.</summary>
internal readonly struct Size8x3 : ITileSize
{
    public static int Rows => 8;

    public static int Vectors => 3;
}

/// <summary>6 rows by 4 vectors.</summary>
internal readonly struct Size6x4 : ITileSize
{
    public static int Rows => 6;

    public static int Vectors => 4;
}

/// <summary>6 rows by 2 vectors.</summary>
internal readonly struct Size6x2 : ITileSize
{
    public static int Rows => 6;

    public static int Vectors => 2;
}

/// <summary>6 rows by 1 vector.</summary>
internal readonly struct Size6x1 : ITileSize
{
    public static int Rows => 6;

    public static int Vectors => 1;
}

/// <summary>4 rows by 4 vectors.</summary>
internal readonly struct Size4x4 : ITileSize
{
    public static int Rows => 4;

    public static int Vectors => 4;
}

/// <summary>3 rows by 4 vectors.</summary>
internal readonly struct Size3x4 : ITileSize
{
    public static int Rows => 3;

    public static int Vectors => 4;
}

/// <summary>3 rows by 2 vectors.</summary>
internal readonly struct Size3x2 : ITileSize
{
    public static int Rows => 3;

    public static int Vectors => 2;
}
