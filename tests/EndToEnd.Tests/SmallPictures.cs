using System.Runtime.InteropServices;

namespace AdderNet.EndToEnd.Tests;

/// <summary>JPEG files in class folders: noise and a few squares on a colour that belongs to the class, in sizes of their own.</summary>
internal static unsafe class SmallPictures
{
    private static readonly (int Red, int Green, int Blue)[] Colours = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (120, 120, 20)];

    public static int Classes => Colours.Length;

    /// <param name="directory">Made if missing.</param>
    /// <param name="train">Training pictures of each class.</param>
    /// <param name="validation">Validation pictures of each class.</param>
    public static string Write(string directory, int train, int validation)
    {
        var encoder = InitCompress();
        for (var label = 0; label < Classes; label++)
        {
            foreach (var (set, count) in new[] { ("train", train), ("val", validation) })
            {
                var folder = Directory.CreateDirectory(Path.Combine(directory, set, $"n{label:00000000}")).FullName;
                for (var i = 0; i < count; i++)
                    File.WriteAllBytes(Path.Combine(folder, $"picture_{i}.JPEG"), Encode(encoder, label, (uint)((i * 2) + (set == "val" ? 1 : 0))));
            }
        }

        _ = Destroy(encoder);
        return directory;
    }

    private static byte[] Encode(nint encoder, int label, uint number)
    {
        var state = (number * 2654435761) ^ ((uint)label << 8) ^ 12345;
        var (width, height) = (40 + Draw(40), 40 + Draw(40));
        var pixels = new byte[width * height * 3];
        var (x, y, (red, green, blue)) = (Draw(width - 12), Draw(height - 12), Colours[label]);
        for (var i = 0; i < width * height; i++)
        {
            var inside = i % width >= x && i % width < x + 12 && i / width >= y && i / width < y + 12;
            pixels[3 * i] = (byte)(inside ? 255 : red + Draw(40));
            pixels[(3 * i) + 1] = (byte)(inside ? 0 : green + Draw(40));
            pixels[(3 * i) + 2] = (byte)(inside ? 128 : blue + Draw(40));
        }

        byte* encoded = null;
        CULong length = default;
        fixed (byte* from = pixels)
        {
            if (Compress(encoder, from, width, 0, height, 0, &encoded, &length, 2, 90, 0) != 0)
                throw new InvalidOperationException("libjpeg-turbo cannot encode a picture");
        }

        var bytes = new ReadOnlySpan<byte>(encoded, checked((int)length.Value)).ToArray();
        Free(encoded);
        return bytes;

        // A xorshift generator: the same pictures on every machine.
        int Draw(int below)
        {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            return (int)(state % (uint)below);
        }
    }

    [DllImport("libturbojpeg.so.0", EntryPoint = "tjInitCompress")]
    private static extern nint InitCompress();

    [DllImport("libturbojpeg.so.0", EntryPoint = "tjCompress2")]
    private static extern int Compress(
        nint handle, byte* pixels, int width, int pitch, int height, int format, byte** encoded, CULong* length, int subsampling, int quality, int flags);

    [DllImport("libturbojpeg.so.0", EntryPoint = "tjFree")]
    private static extern void Free(byte* buffer);

    [DllImport("libturbojpeg.so.0", EntryPoint = "tjDestroy")]
    private static extern int Destroy(nint handle);
}
