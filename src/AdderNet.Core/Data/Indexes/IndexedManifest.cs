using System.Collections;

namespace AdderNet.Core.Data.Indexes;

/// <summary>The manifest's entries of an indexed data set, made when they are asked for: there may be millions.</summary>
/// <param name="index">The samples.</param>
/// <param name="skipUndecodable">Says of samples that are left out that they are.</param>
internal sealed class IndexedManifest(SampleIndex index, bool skipUndecodable) : IReadOnlyList<DataManifestEntry>
{
    public int Count => index.Count;

    public DataManifestEntry this[int sample] => new(index.Name(sample), index.Bytes(sample), index.Label(sample), Content(sample));

    /// <summary>Hash of the manifest, without making its entries.</summary>
    public string Hash(Configuration.DataFormat format)
    {
        using var hash = new ManifestHash(format);
        for (var i = 0; i < index.Count; i++)
            hash.Append(index.NameBytes(i), index.Bytes(i), index.Label(i), Content(i));
        return hash.Finish();
    }

    public IEnumerator<DataManifestEntry> GetEnumerator() => Enumerable.Range(0, Count).Select(sample => this[sample]).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private string? Content(int sample) => skipUndecodable && index.IsUndecodable(sample) ? DataManifestEntry.LeftOut : null;
}
