using System.Runtime.InteropServices;

namespace AdderNet.Core.Data.Images;

/// <summary>
/// libjpeg-turbo's TurboJPEG interface, loaded when the first pictures need it. Its 2.x functions, which 3.x keeps: they
/// return on errors, while libjpeg's own would jump over managed frames.
/// </summary>
internal sealed unsafe class TurboJpeg
{
    /// <summary>Pixels of four bytes, the fourth without meaning (TJPF_RGBX).</summary>
    public const int Rgbx = 2;

    /// <summary>Four bytes of cyan, magenta, yellow and black (TJPF_CMYK).</summary>
    public const int Cmyk = 11;

    private const int AccurateDct = 4096;
    private const int LimitScans = 32768;

    private static readonly string[] Names = ["libturbojpeg.so.0", "libturbojpeg.so", "libturbojpeg.0.dylib", "libturbojpeg.dylib", "turbojpeg.dll"];
    private static readonly Lazy<TurboJpeg?> Loaded = new(Load);

    private readonly delegate* unmanaged<nint> initialize;
    private readonly delegate* unmanaged<nint, byte*, CULong, byte*, int, int, int, int, int, int> decompress;
    private readonly delegate* unmanaged<nint, byte*> errorText;
    private readonly delegate* unmanaged<nint, int> errorCode;
    private readonly delegate* unmanaged<nint, int> destroy;

    private TurboJpeg(nint library)
    {
        initialize = (delegate* unmanaged<nint>)NativeLibrary.GetExport(library, "tjInitDecompress");
        decompress = (delegate* unmanaged<nint, byte*, CULong, byte*, int, int, int, int, int, int>)NativeLibrary.GetExport(library, "tjDecompress2");
        errorText = (delegate* unmanaged<nint, byte*>)NativeLibrary.GetExport(library, "tjGetErrorStr2");
        errorCode = (delegate* unmanaged<nint, int>)NativeLibrary.GetExport(library, "tjGetErrorCode");
        destroy = (delegate* unmanaged<nint, int>)NativeLibrary.GetExport(library, "tjDestroy");
    }

    /// <summary>The library of this machine.</summary>
    /// <exception cref="DataException">There is none.</exception>
    public static TurboJpeg Library => Loaded.Value
        ?? throw new DataException($"libjpeg-turbo ({Names[0]}) is not installed, and decodes the pictures of data.format folder and tar; for example: apt-get install -y libturbojpeg0 libpng16-16");

    /// <summary>A decompressor, for one thread at a time.</summary>
    public nint Create()
    {
        var handle = initialize();
        return handle != 0 ? handle : throw new DataException("libjpeg-turbo has no memory for a decompressor");
    }

    /// <summary>Frees a decompressor.</summary>
    public void Destroy(nint handle) => _ = destroy(handle);

    /// <summary>
    /// Decodes with the integer ("slow", accurate) inverse DCT and interpolated chroma, both of which libjpeg-turbo computes
    /// with equal bits whatever vectors the processor has.
    /// </summary>
    /// <param name="handle">From <see cref="Create"/>.</param>
    /// <param name="encoded">The whole file.</param>
    /// <param name="pixels">Receives height rows of width pixels of four bytes.</param>
    /// <param name="width">Width of what is decoded: the picture's, or a reduction of it that libjpeg-turbo knows.</param>
    /// <param name="height">Height of it.</param>
    /// <param name="format"><see cref="Rgbx"/> or <see cref="Cmyk"/>.</param>
    /// <returns>What went wrong, in the library's words, and whether pixels were made all the same; null when nothing did.</returns>
    public (string Message, bool IsWarning)? Decode(nint handle, ReadOnlySpan<byte> encoded, byte* pixels, int width, int height, int format)
    {
        fixed (byte* from = encoded)
        {
            if (decompress(handle, from, new CULong((nuint)encoded.Length), pixels, width, 0, height, format, AccurateDct | LimitScans) == 0)
                return null;
        }

        return (Marshal.PtrToStringUTF8((nint)errorText(handle)) ?? "unknown error", errorCode(handle) == 0);
    }

    private static TurboJpeg? Load()
    {
        foreach (var name in Names)
        {
            if (NativeLibrary.TryLoad(name, typeof(TurboJpeg).Assembly, null, out var library))
                return new TurboJpeg(library);
        }

        return null;
    }
}
