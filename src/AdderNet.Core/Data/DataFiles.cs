using System.Security.Cryptography;

namespace AdderNet.Core.Data;

/// <summary>Reads whole files of a data directory and remembers what goes into the manifest.</summary>
/// <param name="directory">The data directory.</param>
internal sealed class DataFiles(string directory)
{
    private readonly List<DataManifestEntry> entries = [];

    /// <summary>One entry for each file read.</summary>
    public IReadOnlyList<DataManifestEntry> Entries => entries;

    /// <summary>Reads the first of several spellings of a name that exists.</summary>
    /// <returns>The file's path, for messages, and its bytes.</returns>
    /// <exception cref="DataException">It is missing, only there compressed, unreadable or too large.</exception>
    public (string Path, byte[] Bytes) Read(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            var path = Path.Combine(directory, name);
            if (!File.Exists(path))
                continue;
            try
            {
                var bytes = File.ReadAllBytes(path);
                // The first spelling: the same content is the same data, however the file is called.
                entries.Add(new DataManifestEntry(names[0], bytes.LongLength, null, Convert.ToHexStringLower(SHA256.HashData(bytes))));
                return (path, bytes);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new DataException($"{path}: cannot be read: {e.Message}", e);
            }
        }

        var expected = Path.Combine(directory, names[0]);
        throw new DataException(File.Exists(expected + ".gz")
            ? $"{expected}: only {names[0]}.gz is there; uncompress it first: gunzip {expected}.gz"
            : $"{expected}: no such file");
    }
}
