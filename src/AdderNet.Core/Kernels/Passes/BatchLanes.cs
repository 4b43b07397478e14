namespace AdderNet.Core.Kernels;

/// <summary>
/// Layers with few filters or channels (LeNet-5's 1 and 6) would leave most lanes of a wide vector empty. Where the batch is
/// large enough, samples are the lanes instead: maps are transposed to [pixel, channel, sample].
/// </summary>
internal static unsafe class BatchLanes
{
    /// <summary>Whether lanes of samples waste less than lanes of the result's channels.</summary>
    public static bool Suit<TOps, TVector>(int channels, int samples)
        where TOps : struct, IVectorOps<TVector>
        where TVector : unmanaged => channels <= TOps.Width / 2 && samples >= TOps.Width;

    /// <summary>[N, elements] to [elements, padded N]; filling lanes hold whatever was there.</summary>
    public static float* Spread(WorkspaceSlot slot, float* source, int samples, int elements, int paddedSamples, ComputeThreads threads)
    {
        var destination = threads.Workspace.Take<float>(slot, (long)elements * paddedSamples);
        threads.Split(elements, new Job { Source = source, SourceStride = elements, SourceStep = 1, Rows = samples, Destination = destination, DestinationStride = paddedSamples, DestinationStep = paddedSamples });
        return destination;
    }

    /// <summary>[elements, padded N] back to [N, elements].</summary>
    public static void Gather(float* source, int samples, int elements, int paddedSamples, float* destination, ComputeThreads threads) =>
        threads.Split(elements, new Job { Source = source, SourceStride = paddedSamples, SourceStep = paddedSamples, Columns = samples, Destination = destination, DestinationStride = elements, DestinationStep = 1 });

    /// <summary>Items are elements: columns when spreading (Rows is set), rows when gathering (Columns is set).</summary>
    private struct Job : ISplitJob
    {
        public float* Source;
        public nint SourceStride;
        public nint SourceStep;
        public int Rows;
        public int Columns;
        public float* Destination;
        public nint DestinationStride;
        public nint DestinationStep;

        public readonly void Run(int first, int end) => BlockTranspose.Run(
            Source + first * SourceStep, SourceStride, Rows > 0 ? Rows : end - first, Columns > 0 ? Columns : end - first,
            Destination + first * DestinationStep, DestinationStride);
    }
}
