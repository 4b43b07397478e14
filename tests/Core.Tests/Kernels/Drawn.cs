using AdderNet.Core.Numerics;

namespace AdderNet.Core.Tests.Kernels;

internal static class Drawn
{
    /// <summary>Standard normal values of a stream of their own.</summary>
    public static float[] Normals(int length, uint item)
    {
        var stream = new Philox(31, DrawPurpose.Probe, item);
        var values = new float[length];
        for (var i = 0; i < length; i++)
            values[i] = (float)stream.NextNormal();
        return values;
    }
}
