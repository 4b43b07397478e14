using System.Buffers.Binary;

namespace AdderNet.Core.Data;

/// <summary>
/// IDX files as MNIST has them: big-endian magic 0x0803 (images: count, rows, columns, bytes) and 0x0801 (labels: count, bytes).
/// </summary>
internal static class IdxFiles
{
    /// <summary>(x/255 - 0.1307)/0.3081: mean and deviation of MNIST's training images.</summary>
    public static readonly IReadOnlyList<ChannelScale> Scales = [new ChannelScale(0.1307f, 0.3081f)];

    private const int ImageMagic = 0x0803;
    private const int LabelMagic = 0x0801;
    private const int LargestSide = 4096;

    public static IPixels ReadTrain(DataFiles files) => Read(files, "train");

    public static IPixels ReadTest(DataFiles files) => Read(files, "t10k");

    private static HeldPixels Read(DataFiles files, string set)
    {
        var images = files.Read($"{set}-images-idx3-ubyte", $"{set}-images.idx3-ubyte");
        var labels = files.Read($"{set}-labels-idx1-ubyte", $"{set}-labels.idx1-ubyte");
        var sides = Sides(images.Path, images.Bytes, ImageMagic, 3);
        var count = Sides(labels.Path, labels.Bytes, LabelMagic, 1)[0];
        if (sides[1] > LargestSide || sides[2] > LargestSide)
            throw new DataException($"{images.Path}: images of {sides[1]} x {sides[2]} pixels; at most {LargestSide} x {LargestSide} are read, MNIST's are 28 x 28");
        if (count != sides[0])
            throw new DataException($"{labels.Path}: has {count} labels, but {Path.GetFileName(images.Path)} beside it has {sides[0]} images");
        return new HeldPixels(new InputShape((int)sides[1], (int)sides[2], 1), images.Bytes, images.Bytes.Length - (int)(sides[0] * sides[1] * sides[2]), labels.Bytes[8..]);
    }

    /// <summary>Checks magic, sides and length of a file.</summary>
    private static long[] Sides(string path, byte[] bytes, int magic, int count)
    {
        var header = 4 + (4 * count);
        if (bytes.Length < header)
            throw new DataException($"{path}: has {bytes.Length} bytes, too few for an IDX header of {header}");
        var found = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        if (found != magic)
            throw new DataException($"{path}: begins with 0x{found:x8}, not the IDX magic 0x{magic:x8}{(found >> 16 == 0x1f8b ? "; it is compressed: rename it to .gz and gunzip it" : "")}");
        var sides = new long[count];
        var expected = 1L;
        for (var i = 0; i < count; i++)
        {
            sides[i] = BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(4 + (4 * i)));
            if (sides[i] == 0)
                throw new DataException($"{path}: has a side of length 0 in its IDX header");
            // Sides are below 2^32, and a product that passes 2^31 is larger than any file read here.
            expected = expected > int.MaxValue ? expected : expected * sides[i];
        }

        if (bytes.Length - header != expected)
            throw new DataException($"{path}: {string.Join(" x ", sides)} bytes by its header, but {bytes.Length - header} follow it: the file is {(bytes.Length - header < expected ? "cut short" : "too long")}");
        return sides;
    }
}
