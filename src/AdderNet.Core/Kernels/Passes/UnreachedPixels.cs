using System.Runtime.CompilerServices;

namespace AdderNet.Core.Kernels;

/// <summary>The pixels of an input gradient that no tap reaches: at strides above 1 they may be most of it.</summary>
/// <param name="plan">Which pixels those are.</param>
/// <param name="result">[pixels, columns].</param>
/// <param name="columns">Channels.</param>
/// <param name="pastCaches">Whether the result has left the caches before it is read.</param>
internal readonly unsafe struct UnreachedPixels<TOps, TVector>(GatherPlan plan, float* result, int columns, bool pastCaches)
    where TOps : struct, IVectorOps<TVector>
    where TVector : unmanaged
{
    private readonly int* places = Pinned.Address(plan.Unreached);
    private readonly int count = plan.UnreachedCount;

    /// <summary>Whether zeros are stored past the caches: only where each pixel is whole cache lines.</summary>
    private readonly bool pastCaches = pastCaches && (nuint)result % Pinned.LineBytes == 0 && columns * sizeof(float) % Pinned.LineBytes == 0;

    /// <summary>Where the share of a group begins, and of the one before it ends.</summary>
    /// <param name="group">The group.</param>
    /// <param name="groups">Number of groups, which all have as many of the pixels.</param>
    public int* Share(int group, int groups) => places + (long)count * group / groups;

    /// <summary>Clears the columns of some panels in some pixels.</summary>
    /// <param name="first">The first panel.</param>
    /// <param name="last">The last panel.</param>
    /// <param name="place">The first pixel.</param>
    /// <param name="end">Behind the last pixel.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Clear(Panel first, Panel last, int* place, int* end)
    {
        var column = result + first.First;
        nint width = (last.Vectors - 1) * TOps.Width + last.First - first.First;
        var zero = TOps.Broadcast(0f);
        for (; pastCaches && place < end; place++)
        {
            var pixel = column + *place;
            for (nint lane = 0; lane <= width; lane += TOps.Width)
                TOps.StorePastCaches(pixel + lane, zero);
        }

        for (; place < end; place++)
        {
            var pixel = column + *place;
            for (nint lane = 0; lane < width; lane += TOps.Width)
                TOps.Store(pixel + lane, zero);
            if (last.LastLanes == TOps.Width)
                TOps.Store(pixel + width, zero);
            else
                TOps.StorePart(pixel + width, zero, last.LastLanes);
        }
    }
}
