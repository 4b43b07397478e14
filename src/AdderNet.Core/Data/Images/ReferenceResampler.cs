namespace AdderNet.Core.Data.Images;

/// <summary>What resampling means, in plain loops: the other resamplers have the same bits.</summary>
internal sealed class ReferenceResampler : IResampler
{
    public unsafe void Horizontal(PixelView from, int firstRow, int rows, AxisWeights weights, bool mirror, byte* to)
    {
        for (var y = 0; y < rows; y++)
        {
            var row = from.Pixels + ((nuint)(firstRow + y) * from.RowBytes);
            for (var x = 0; x < weights.Count; x++)
            {
                var place = mirror ? weights.Count - 1 - x : x;
                for (var c = 0; c < PixelView.PixelBytes; c++)
                {
                    var sum = AxisWeights.Half;
                    for (var t = 0; t < weights.Taps[x]; t++)
                        sum += row[((weights.Start[x] + t) * PixelView.PixelBytes) + c] * weights.Weights[(x * weights.Stride) + t];
                    to[(((y * weights.Count) + place) * PixelView.PixelBytes) + c] = Round(sum);
                }
            }
        }
    }

    public unsafe void Vertical(byte* rows, int rowBytes, ReadOnlySpan<int> weights, byte* to)
    {
        for (var i = 0; i < rowBytes; i++)
        {
            var sum = AxisWeights.Half;
            for (var t = 0; t < weights.Length; t++)
                sum += rows[(t * rowBytes) + i] * weights[t];
            to[i] = Round(sum);
        }
    }

    /// <summary>A sum that began with <see cref="AxisWeights.Half"/> as a byte. Weights add to 1 but for their rounding, so it may be 256.</summary>
    private static byte Round(int sum) => (byte)Math.Clamp(sum >> AxisWeights.Precision, 0, byte.MaxValue);
}
