using System.Buffers;
using AdderNet.Core.Data.Images;

namespace AdderNet.Core.Data.Indexes;

/// <summary>The training or the validation pictures of an indexed data set.</summary>
internal sealed class IndexedSampleSet : ISampleSet
{
    private readonly SampleIndex index;
    private readonly EncodedPictures pictures;
    private readonly PhotographPipeline pipeline;
    private readonly int first;

    // Places of the samples in the index; null when none is left out.
    private readonly int[]? places;

    /// <param name="index">The whole data set.</param>
    /// <param name="pictures">Its bytes.</param>
    /// <param name="pipeline">Makes samples of them.</param>
    /// <param name="first">First sample of this set.</param>
    /// <param name="end">One past its last.</param>
    /// <param name="skipUndecodable">Leaves out the samples that a verification marked.</param>
    public IndexedSampleSet(SampleIndex index, EncodedPictures pictures, PhotographPipeline pipeline, int first, int end, bool skipUndecodable)
    {
        (this.index, this.pictures, this.pipeline, this.first) = (index, pictures, pipeline, first);
        Count = end - first;
        if (!skipUndecodable || index.UndecodableCount == 0)
            return;
        places = [.. Enumerable.Range(first, Count).Where(sample => !index.IsUndecodable(sample))];
        Count = places.Length;
    }

    public int Count { get; }

    public int Label(int index) => this.index.Label(Place(index));

    public void Read(int index, SampleDraw? augmentation, Span<float> destination)
    {
        var place = Place(index);
        var name = pictures.Name(place);
        var length = (int)this.index.Bytes(place);
        var encoded = ArrayPool<byte>.Shared.Rent(Math.Max(1, length));
        try
        {
            var bytes = encoded.AsSpan(0, length);
            pictures.Read(place, bytes);
            if (augmentation is { } draw)
                pipeline.RenderTraining(bytes, name, unchecked((ulong)draw.Seed), draw.Epoch, index, destination);
            else
                pipeline.RenderEvaluation(bytes, name, destination);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(encoded);
        }
    }

    private int Place(int index) => places is null ? first + index : places[index];
}
