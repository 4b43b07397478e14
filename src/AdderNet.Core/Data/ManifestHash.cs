using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using AdderNet.Core.Configuration;

namespace AdderNet.Core.Data;

/// <summary>The manifest's hash, entry by entry (docs/file-formats.md, "Data manifest").</summary>
internal sealed class ManifestHash : IDisposable
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] buffer = new byte[1 << 16];
    private int used;

    /// <param name="format">How the samples are stored.</param>
    public ManifestHash(DataFormat format) => Append(Encoding.UTF8.GetBytes($"addernet data manifest 1\n{Spelling.Of(format)}\n"));

    /// <summary>Adds the next entry in order of names.</summary>
    /// <param name="name">UTF-8.</param>
    /// <param name="bytes">Length.</param>
    /// <param name="label">Class, or null.</param>
    /// <param name="content">Hex SHA-256 or <see cref="DataManifestEntry.LeftOut"/>, or null.</param>
    public void Append(ReadOnlySpan<byte> name, long bytes, int? label, string? content)
    {
        Append(name);
        Append("\0"u8);
        Append(bytes);
        Append("\0"u8);
        if (label is { } number)
            Append(number);
        else
            Append("-"u8);
        Append("\0"u8);
        Append(content is null ? "-"u8 : Encoding.ASCII.GetBytes(content));
        Append("\n"u8);
    }

    /// <summary>Lower-case hex.</summary>
    public string Finish()
    {
        hash.AppendData(buffer, 0, used);
        used = 0;
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public void Dispose() => hash.Dispose();

    private void Append(long number)
    {
        Span<byte> digits = stackalloc byte[20];
        Utf8Formatter.TryFormat(number, digits, out var written);
        Append(digits[..written]);
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > buffer.Length - used)
        {
            hash.AppendData(buffer, 0, used);
            used = 0;
        }

        if (bytes.Length > buffer.Length)
        {
            hash.AppendData(bytes);
            return;
        }

        bytes.CopyTo(buffer.AsSpan(used));
        used += bytes.Length;
    }
}
