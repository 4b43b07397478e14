using System.Runtime.InteropServices;

namespace AdderNet.Core.Data.Images;

/// <summary>Reused memory outside the managed heap. It grows as needed; what one unusually large picture took is given back after it.</summary>
internal sealed unsafe class PixelBuffer : IDisposable
{
    private const nuint Kept = 32 << 20;
    private const nuint Alignment = 64;
    private byte* memory;
    private nuint length;

    /// <summary>At least that many bytes, of any content, valid until the next call.</summary>
    public byte* Take(nuint bytes)
    {
        if (bytes > length || (length > Kept && bytes <= Kept))
        {
            Release();
            memory = (byte*)NativeMemory.AlignedAlloc(bytes, Alignment);
            length = bytes;
        }

        return memory;
    }

    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    ~PixelBuffer() => Release();

    private void Release()
    {
        NativeMemory.AlignedFree(memory);
        memory = null;
        length = 0;
    }
}
