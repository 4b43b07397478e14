using System.Security.Cryptography;

namespace AdderNet.Worker.Transfer;

/// <summary>A member's whole state at a step, as the bytes of a checkpoint file. Immutable.</summary>
internal sealed class Snapshot
{
    /// <param name="step">Applied steps.</param>
    /// <param name="bytes">A checkpoint file; not changed any more.</param>
    public Snapshot(long step, ReadOnlyMemory<byte> bytes)
    {
        Step = step;
        Bytes = bytes;
        Sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes.Span));
    }

    public long Step { get; }

    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>Lower-case hex over <see cref="Bytes"/>.</summary>
    public string Sha256 { get; }
}
