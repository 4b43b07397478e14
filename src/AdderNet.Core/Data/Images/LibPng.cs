using System.Runtime.InteropServices;

namespace AdderNet.Core.Data.Images;

/// <summary>libpng's simplified interface, loaded when the first pictures need it.</summary>
internal sealed unsafe class LibPng
{
    private const uint Version = 1;
    private const uint Rgba = 3;
    private const uint SixteenBitsAreSrgb = 4;

    private static readonly string[] Names = ["libpng16.so.16", "libpng16.so", "libpng16.16.dylib", "libpng16.dylib", "libpng16.dll"];
    private static readonly Lazy<LibPng?> Loaded = new(Load);

    private readonly delegate* unmanaged<Image*, byte*, nuint, int> begin;
    private readonly delegate* unmanaged<Image*, void*, byte*, int, void*, int> finish;
    private readonly delegate* unmanaged<Image*, void> free;

    private LibPng(nint library)
    {
        begin = (delegate* unmanaged<Image*, byte*, nuint, int>)NativeLibrary.GetExport(library, "png_image_begin_read_from_memory");
        finish = (delegate* unmanaged<Image*, void*, byte*, int, void*, int>)NativeLibrary.GetExport(library, "png_image_finish_read");
        free = (delegate* unmanaged<Image*, void>)NativeLibrary.GetExport(library, "png_image_free");
    }

    /// <summary>The library of this machine.</summary>
    /// <exception cref="DataException">There is none.</exception>
    public static LibPng Library => Loaded.Value
        ?? throw new DataException($"libpng ({Names[0]}) is not installed, and decodes PNGs among the pictures of data.format folder and tar; for example: apt-get install -y libturbojpeg0 libpng16-16");

    /// <summary>Decodes a PNG to rows of red, green, blue and alpha bytes.</summary>
    /// <param name="encoded">The whole file.</param>
    /// <param name="pixels">Receives height times width times four bytes.</param>
    /// <param name="width">As its header says.</param>
    /// <param name="height">As its header says.</param>
    /// <returns>What went wrong, in the library's words; null when nothing did.</returns>
    public string? Decode(ReadOnlySpan<byte> encoded, byte* pixels, int width, int height)
    {
        var image = new Image { Version = Version };
        fixed (byte* from = encoded)
        {
            if (begin(&image, from, (nuint)encoded.Length) == 0)
                return Message(&image);
            try
            {
                if (image.Width != width || image.Height != height)
                    return $"its header changed to {image.Width} x {image.Height}";
                image.Format = Rgba;
                image.Flags |= SixteenBitsAreSrgb;
                return finish(&image, null, pixels, width * 4, null) == 0 ? Message(&image) : null;
            }
            finally
            {
                free(&image);
            }
        }
    }

    private static string Message(Image* image) => Marshal.PtrToStringUTF8((nint)image->Message) ?? "unknown error";

    private static LibPng? Load()
    {
        foreach (var name in Names)
        {
            if (NativeLibrary.TryLoad(name, typeof(LibPng).Assembly, null, out var library))
                return new LibPng(library);
        }

        return null;
    }

    /// <summary>png_image of png.h, version 1.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Image
    {
        public nint Opaque;
        public uint Version;
        public uint Width;
        public uint Height;
        public uint Format;
        public uint Flags;
        public uint ColormapEntries;
        public uint WarningOrError;
        public fixed byte Message[64];
    }
}
