using AdderNet.Core.Kernels;

namespace AdderNet.Core.Layers.Normalization;

/// <summary>Buffers that all batch norms of one network share: what one leaves here no other reads. They grow to the largest size asked for.</summary>
internal sealed unsafe class NormScratch
{
    private double[] sums = [];
    private double[] lanes = [];

    /// <summary>Room for sums, of any content.</summary>
    public double* Sums(long length) => Grown(ref sums, checked((int)length));

    /// <summary>Room for values per lane, of any content.</summary>
    public double* Lanes(int length) => Grown(ref lanes, length);

    private static double* Grown(ref double[] buffer, int length)
    {
        if (buffer.Length < length)
            buffer = Pinned.Array<double>(length);
        return Pinned.Address(buffer);
    }
}
