using Microsoft.Win32.SafeHandles;

namespace AdderNet.Core.Data.Indexes;

/// <summary>The encoded bytes of indexed samples, each read as a whole. Safe for several threads.</summary>
/// <param name="root">The data directory.</param>
/// <param name="index">Its index.</param>
internal sealed class EncodedPictures(string root, SampleIndex index) : IDisposable
{
    // Shards stay open: a network file system answers an open far more slowly than a read.
    private readonly SafeFileHandle?[] shards = new SafeFileHandle?[index.IsTar ? index.Containers.Count : 0];

    /// <summary>What messages call a sample: its path, or its shard and key.</summary>
    public string Name(int sample) => index.IsTar
        ? $"{ShardPath(index.Place(sample).Shard)}: {index.Name(sample)}"
        : Path.Combine(root, index.Name(sample));

    /// <summary>Reads a sample's bytes.</summary>
    /// <param name="sample">Index in the whole data set.</param>
    /// <param name="destination">Exactly as long as the index says the sample is.</param>
    /// <exception cref="DataException">It cannot be read, or is not as it was when it was indexed.</exception>
    public void Read(int sample, Span<byte> destination)
    {
        // What has no bytes may be no file at all, such as a pipe, which would not answer.
        if (destination.IsEmpty)
            return;
        try
        {
            if (index.IsTar)
            {
                var (shard, offset) = index.Place(sample);
                ReadExactly(Shard(shard), destination, offset, sample);
                return;
            }

            using var file = File.OpenHandle(Name(sample));
            if (RandomAccess.GetLength(file) is var length && length != destination.Length)
                throw Changed(sample, $"has {length} bytes, but had {destination.Length} when it was indexed");
            ReadExactly(file, destination, 0, sample);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{Name(sample)}: cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Closes the shards.</summary>
    public void Dispose()
    {
        foreach (var shard in shards)
            shard?.Dispose();
    }

    private string ShardPath(int shard) => Path.Combine(root, index.Containers[shard].Name);

    private SafeFileHandle Shard(int shard)
    {
        if (Volatile.Read(ref shards[shard]) is { } open)
            return open;
        var opened = File.OpenHandle(ShardPath(shard));
        if (Interlocked.CompareExchange(ref shards[shard], opened, null) is not { } other)
            return opened;
        opened.Dispose();
        return other;
    }

    private void ReadExactly(SafeFileHandle file, Span<byte> destination, long offset, int sample)
    {
        while (!destination.IsEmpty)
        {
            var read = RandomAccess.Read(file, destination, offset);
            if (read == 0)
                throw Changed(sample, "ends before the length it had when it was indexed");
            destination = destination[read..];
            offset += read;
        }
    }

    private DataException Changed(int sample, string how) => new($"{Name(sample)}: {how}; index the data set again: addernet data index {root}");
}
