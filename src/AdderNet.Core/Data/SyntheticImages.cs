using System.Buffers.Binary;
using AdderNet.Core.Configuration;
using AdderNet.Core.Numerics;

namespace AdderNet.Core.Data;

/// <summary>
/// Learnable images made from Philox alone, for tests, benchmarks and trying a cluster without data: 10 classes in turn,
/// 4096 training and 1024 test images, grey at 28 x 28 (MNIST's shape), else in colour. A class is a 7 x 7 pattern; an image
/// shows it moved by up to 2 pixels, mixed 3 to 1 with noise of its own.
/// </summary>
internal sealed class SyntheticImages : IPixels
{
    public const int TrainCount = 4096;
    public const int TestCount = 1024;

    /// <summary>Names what is drawn; another recipe must have another name, since it enters the run identity.</summary>
    public const string Recipe = "synthetic-1";

    public static readonly ChannelScale Scale = new(0.5f, 0.25f);

    private const long Key = 20200613;
    private const int Grid = 7;
    private const int Moves = 3;
    private readonly int first;
    private readonly byte[][] patterns;

    /// <param name="side">Height and width in pixels.</param>
    /// <param name="test">The test set, whose noise is drawn after the training set's.</param>
    public SyntheticImages(int side, bool test)
    {
        Shape = new InputShape(side, side, side == 28 ? 1 : 3);
        (first, Count) = test ? (TrainCount, TestCount) : (0, TrainCount);
        patterns = Enumerable.Range(0, DescriptionChecks.SyntheticClasses).Select(Pattern).ToArray();
    }

    public InputShape Shape { get; }

    public int Count { get; }

    public int Label(int index) => index % patterns.Length;

    public ReadOnlySpan<byte> Read(int index, Span<byte> scratch)
    {
        var image = scratch[..Shape.Elements];
        var random = new Philox(Key, DrawPurpose.SyntheticData, (uint)(first + index), 0);
        var down = random.NextBelow(Moves);
        var right = random.NextBelow(Moves);
        Fill(ref random, image);
        var pattern = patterns[Label(index)];
        var to = 0;
        for (var y = 0; y < Shape.Height; y++)
        {
            var row = Cell(y + down, Shape.Height) * Grid;
            for (var x = 0; x < Shape.Width; x++)
            {
                var cell = (row + Cell(x + right, Shape.Width)) * Shape.Channels;
                for (var c = 0; c < Shape.Channels; c++, to++)
                    image[to] = (byte)(((3 * pattern[cell + c]) + image[to]) / 4);
            }
        }

        return image;
    }

    private static int Cell(int place, int side) => Math.Min(place, side - 1) * Grid / side;

    private static void Fill(ref Philox random, Span<byte> bytes)
    {
        Span<byte> word = stackalloc byte[4];
        for (var i = 0; i < bytes.Length; i += 4)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(word, random.NextUInt32());
            word[..Math.Min(4, bytes.Length - i)].CopyTo(bytes[i..]);
        }
    }

    private byte[] Pattern(int label)
    {
        var random = new Philox(Key, DrawPurpose.SyntheticData, (uint)label, 1);
        var pattern = new byte[Grid * Grid * Shape.Channels];
        Fill(ref random, pattern);
        return pattern;
    }
}
