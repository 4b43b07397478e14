using System.Buffers.Binary;

namespace AdderNet.EndToEnd.Tests;

/// <summary>The first images of the real MNIST, as IDX files of their own, so that an epoch takes a second.</summary>
internal static class SmallMnist
{
    /// <summary>Where `./test` put the four IDX files.</summary>
    public static string FullSet
    {
        get
        {
            var cache = Environment.GetEnvironmentVariable("ADDERNET_CACHE")
                ?? Path.Combine(Environment.GetEnvironmentVariable("XDG_CACHE_HOME") ?? Path.Combine(Environment.GetEnvironmentVariable("HOME")!, ".cache"), "addernet");
            var directory = Path.Combine(cache, "mnist");
            return File.Exists(Path.Combine(directory, "train-images-idx3-ubyte"))
                ? directory
                : throw new InvalidOperationException($"no MNIST in {directory}; run: ./addernet data fetch mnist {directory}");
        }
    }

    /// <param name="directory">Made if missing.</param>
    /// <param name="train">Training images kept.</param>
    /// <param name="test">Test images kept.</param>
    /// <param name="relabel">Index of a training sample whose label is changed, or -1.</param>
    public static string Write(string directory, int train, int test, int relabel = -1)
    {
        Directory.CreateDirectory(directory);
        CopyHead(directory, "train-images-idx3-ubyte", 16, 784, train);
        CopyHead(directory, "train-labels-idx1-ubyte", 8, 1, train);
        CopyHead(directory, "t10k-images-idx3-ubyte", 16, 784, test);
        CopyHead(directory, "t10k-labels-idx1-ubyte", 8, 1, test);
        if (relabel >= 0)
        {
            var labels = Path.Combine(directory, "train-labels-idx1-ubyte");
            var bytes = File.ReadAllBytes(labels);
            bytes[8 + relabel] = (byte)((bytes[8 + relabel] + 1) % 10);
            File.WriteAllBytes(labels, bytes);
        }

        return directory;
    }

    private static void CopyHead(string directory, string name, int header, int itemBytes, int count)
    {
        var bytes = new byte[header + itemBytes * count];
        using var source = File.OpenRead(Path.Combine(FullSet, name));
        source.ReadExactly(bytes);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4), count);
        File.WriteAllBytes(Path.Combine(directory, name), bytes);
    }
}
