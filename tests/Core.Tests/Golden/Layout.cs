using AdderNet.Core.Kernels;

namespace AdderNet.Core.Tests.Golden;

/// <summary>Between the golden files' [N, C, H, W] and the kernels' channels-last maps.</summary>
internal static class Layout
{
    public static float[] ToChannelsLast(float[] x, int n, int c, int pixels)
    {
        var result = new float[x.Length];
        for (var i = 0; i < n; i++)
        {
            for (var channel = 0; channel < c; channel++)
            {
                for (var p = 0; p < pixels; p++)
                    result[(i * pixels + p) * c + channel] = x[(i * c + channel) * pixels + p];
            }
        }

        return result;
    }

    public static float[] ToChannelsFirst(float[] x, int n, int c, int pixels)
    {
        var result = new float[x.Length];
        for (var i = 0; i < n; i++)
        {
            for (var channel = 0; channel < c; channel++)
            {
                for (var p = 0; p < pixels; p++)
                    result[(i * c + channel) * pixels + p] = x[(i * pixels + p) * c + channel];
            }
        }

        return result;
    }

    public static float[] InputToChannelsLast(in ConvolutionShape s, float[] x) => ToChannelsLast(x, s.N, s.C, s.H * s.W);

    public static float[] OutputToChannelsLast(in ConvolutionShape s, float[] y) => ToChannelsLast(y, s.N, s.T, s.OutHeight * s.OutWidth);
}
