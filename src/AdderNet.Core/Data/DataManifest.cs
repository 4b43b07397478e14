using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using AdderNet.Core.Configuration;

namespace AdderNet.Core.Data;

/// <summary>One file (idx, cifar) or sample (folder, tar) of a data set.</summary>
/// <param name="Name">Path below the data directory, with '/'.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Label">Class of the sample; null for a file of many.</param>
/// <param name="Sha256">Lower-case hex of its content; null where only name and size are known.</param>
public sealed record DataManifestEntry(string Name, long Bytes, int? Label, string? Sha256);

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
        var text = new StringBuilder("addernet data manifest 1\n").Append(Spelling.Of(format)).Append('\n');
        foreach (var entry in Entries)
        {
            text.Append(entry.Name).Append('\0').Append(entry.Bytes).Append('\0')
                .Append(entry.Label?.ToString(CultureInfo.InvariantCulture) ?? "-").Append('\0').Append(entry.Sha256 ?? "-").Append('\n');
        }

        Hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    /// <summary>Entries in ordinal order of names.</summary>
    public IReadOnlyList<DataManifestEntry> Entries { get; }

    /// <summary>SHA-256 over format and entries, lower-case hex.</summary>
    public string Hash { get; }
}
