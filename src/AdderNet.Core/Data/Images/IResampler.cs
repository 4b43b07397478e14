namespace AdderNet.Core.Data.Images;

/// <summary>
/// The two passes of a resampling: first along rows, rounded to bytes, then along columns. All sums are of integers, so
/// every implementation has equal bits.
/// </summary>
internal interface IResampler
{
    /// <summary>Resamples rows along their length.</summary>
    /// <param name="from">The picture.</param>
    /// <param name="firstRow">The first row wanted.</param>
    /// <param name="rows">How many.</param>
    /// <param name="weights">Of the columns.</param>
    /// <param name="mirror">Write the columns from right to left.</param>
    /// <param name="to">Receives rows of weights.Count pixels of four bytes, with 64 bytes to spare behind them.</param>
    unsafe void Horizontal(PixelView from, int firstRow, int rows, AxisWeights weights, bool mirror, byte* to);

    /// <summary>Makes one row of several.</summary>
    /// <param name="rows">weights.Length rows, one behind the other, with 64 bytes to spare behind them.</param>
    /// <param name="rowBytes">Bytes of a row.</param>
    /// <param name="weights">One for each row.</param>
    /// <param name="to">Receives one row, with 64 bytes to spare behind it.</param>
    unsafe void Vertical(byte* rows, int rowBytes, ReadOnlySpan<int> weights, byte* to);
}
