using System.Text;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data.Indexes;

namespace AdderNet.Core.Data;

/// <summary>One file (idx, cifar) or sample (folder, tar) of a data set.</summary>
/// <param name="Name">Path below the data directory, with '/'.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Label">Class of the sample; null for a file of many.</param>
/// <param name="Sha256">Lower-case hex of its content; null where only name and size are known; <see cref="LeftOut"/> for a sample that is not used.</param>
public sealed record DataManifestEntry(string Name, long Bytes, int? Label, string? Sha256)
{
    /// <summary>Stands in place of the content's hash of a sample that does not decode and is skipped.</summary>
    public const string LeftOut = "undecodable";
}

/// <summary>
/// What a data set consists of: names in ordinal order, sizes, labels, and content hashes for idx and cifar; no times and
/// no place. Two directories with equal manifests give the same run.
/// </summary>
public sealed class DataManifest
{
    /// <param name="format">How the samples are stored.</param>
    /// <param name="entries">In any order; names must differ.</param>
    internal DataManifest(DataFormat format, IEnumerable<DataManifestEntry> entries)
    {
        Entries = entries.OrderBy(entry => entry.Name, StringComparer.Ordinal).ToList();
        using var hash = new ManifestHash(format);
        foreach (var entry in Entries)
            hash.Append(Encoding.UTF8.GetBytes(entry.Name), entry.Bytes, entry.Label, entry.Sha256);
        Hash = hash.Finish();
    }

    /// <param name="format">How the samples are stored.</param>
    /// <param name="entries">Of the indexed samples.</param>
    internal DataManifest(DataFormat format, IndexedManifest entries) => (Entries, Hash) = (entries, entries.Hash(format));

    /// <summary>Entries in ordinal order of names.</summary>
    public IReadOnlyList<DataManifestEntry> Entries { get; }

    /// <summary>SHA-256 over format and entries, lower-case hex.</summary>
    public string Hash { get; }
}
