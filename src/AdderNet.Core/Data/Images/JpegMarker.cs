using System.Buffers.Binary;

namespace AdderNet.Core.Data.Images;

/// <summary>The marker segments before a JPEG's first scan (ITU-T T.81, annex B).</summary>
internal static class JpegMarker
{
    public const byte StartOfImage = 0xD8;
    public const byte EndOfImage = 0xD9;
    public const byte StartOfScan = 0xDA;

    /// <summary>SOF0 to SOF15 without DHT, JPG and DAC, which lie between them.</summary>
    public static bool IsFrame(byte marker) => marker is >= 0xC0 and <= 0xCF and not 0xC4 and not 0xC8 and not 0xCC;

    /// <summary>Baseline or extended sequential, Huffman coded.</summary>
    public static bool IsSequential(byte marker) => marker is 0xC0 or 0xC1;

    /// <summary>SOF9 to SOF15: arithmetic coding, which has no smallest size.</summary>
    public static bool IsArithmetic(byte marker) => marker is >= 0xC9 and <= 0xCF;

    /// <summary>Reads the marker segment at <paramref name="at"/> and moves behind it.</summary>
    /// <param name="encoded">The whole file.</param>
    /// <param name="at">Where to look; bytes that are no marker are passed over, as libjpeg does.</param>
    /// <param name="marker">The marker's second byte.</param>
    /// <param name="segment">What follows its length.</param>
    /// <returns>False where the bytes end first.</returns>
    public static bool TryNext(ReadOnlySpan<byte> encoded, ref int at, out byte marker, out ReadOnlySpan<byte> segment)
    {
        marker = 0;
        segment = default;
        do
        {
            var found = encoded[at..].IndexOf((byte)0xFF);
            if (found < 0)
                return false;
            at += found;
            while (at < encoded.Length && encoded[at] == 0xFF)
                at++;
            if (at >= encoded.Length)
                return false;
            marker = encoded[at++];
        }
        while (marker is 0 or 1 or >= 0xD0 and <= 0xD7);

        if (marker is StartOfImage or EndOfImage || encoded.Length - at < 2)
            return false;
        var length = BinaryPrimitives.ReadUInt16BigEndian(encoded[at..]);
        if (length < 2 || encoded.Length - at < length)
            return false;
        segment = encoded.Slice(at + 2, length - 2);
        at += length;
        return true;
    }
}
