using System.Collections;

namespace AdderNet.Protos.Rpc;

/// <summary>One entry of metadata. A key that ends in <c>-bin</c> carries bytes, any other printable ASCII text.</summary>
/// <param name="Key">Lower-case letters, digits, <c>-</c>, <c>_</c> and <c>.</c>.</param>
/// <param name="Text">The text, or null for a binary entry.</param>
/// <param name="Bytes">The bytes of a binary entry; empty for text.</param>
public readonly record struct RpcMetadataEntry(string Key, string? Text, ReadOnlyMemory<byte> Bytes);

/// <summary>
/// Key-value pairs that travel beside the messages of a call. A key may occur more than once; as HTTP allows, its texts may then arrive as one, joined by commas.
/// </summary>
public sealed class RpcMetadata : IReadOnlyCollection<RpcMetadataEntry>
{
    private readonly List<RpcMetadataEntry> _entries = [];

    /// <inheritdoc/>
    public int Count => _entries.Count;

    /// <summary>Adds a text.</summary>
    /// <exception cref="ArgumentException">The key or the text has characters that metadata cannot carry, or the key is the transport's own.</exception>
    public void Add(string key, string value)
    {
        key = Checked(key);
        if (IsBinary(key))
            throw new ArgumentException($"metadata key '{key}' ends in -bin and carries bytes, not text; name it '{key[..^4]}' or add bytes", nameof(key));
        foreach (char c in value)
        {
            if (c is < ' ' or > '~')
                throw new ArgumentException($"metadata '{key}' holds the character U+{(int)c:X4}; text is printable ASCII, other bytes go under a key such as '{key}-bin'", nameof(value));
        }
        _entries.Add(new RpcMetadataEntry(key, value, default));
    }

    /// <summary>Adds bytes, under a key that ends in <c>-bin</c>.</summary>
    /// <exception cref="ArgumentException">The key does not end in <c>-bin</c> or has characters that metadata cannot carry.</exception>
    public void Add(string key, ReadOnlyMemory<byte> value)
    {
        key = Checked(key);
        if (!IsBinary(key))
            throw new ArgumentException($"metadata key '{key}' carries bytes and must end in -bin, for example '{key}-bin'", nameof(key));
        _entries.Add(new RpcMetadataEntry(key, null, value));
    }

    /// <summary>The first text under this key, or null.</summary>
    public string? Text(string key) => Find(key)?.Text;

    /// <summary>The first bytes under this key, or null.</summary>
    public ReadOnlyMemory<byte>? Bytes(string key) => Find(key) is { Text: null } entry ? entry.Bytes : null;

    /// <inheritdoc/>
    public IEnumerator<RpcMetadataEntry> GetEnumerator() => _entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal static bool IsBinary(string key) => key.EndsWith("-bin", StringComparison.Ordinal);

    /// <summary>Adds what came over the wire: the peer's transport already took the key for valid.</summary>
    internal void AddReceived(RpcMetadataEntry entry) => _entries.Add(entry);

    private RpcMetadataEntry? Find(string key)
    {
        foreach (RpcMetadataEntry entry in _entries)
        {
            if (string.Equals(entry.Key, key, StringComparison.OrdinalIgnoreCase))
                return entry;
        }
        return null;
    }

    private static string Checked(string key)
    {
        string lower = key.ToLowerInvariant();
        bool valid = lower.Length > 0;
        foreach (char c in lower)
            valid &= c is >= 'a' and <= 'z' or >= '0' and <= '9' or '-' or '_' or '.';
        if (!valid)
            throw new ArgumentException($"metadata key '{key}' is not valid; use letters, digits, '-', '_' and '.', for example 'request-id'", nameof(key));
        if (MetadataHeaders.IsTransportHeader(lower))
            throw new ArgumentException($"metadata key '{key}' belongs to the transport; use a name of your own, for example 'x-{lower}'", nameof(key));
        return lower;
    }
}
