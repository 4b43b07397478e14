using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace AdderNet.Core.Checkpoints;

/// <summary>
/// SHA-256 over tensors in ordinal order of names. Per tensor: UTF-8 name, 0, dtype, 0, decimal shape joined by commas,
/// 0, little-endian bytes.
/// </summary>
internal sealed class TensorDigest : IDisposable
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private string previous = "";

    /// <summary>The digest of these tensors, sorted here.</summary>
    public static string Of(IEnumerable<NamedTensor> tensors)
    {
        using var digest = new TensorDigest();
        digest.Add(tensors);
        return digest.Finish();
    }

    public void AddText(string text)
    {
        hash.AppendData(Encoding.UTF8.GetBytes(text));
        hash.AppendData([0]);
    }

    public void Add(IEnumerable<NamedTensor> tensors)
    {
        foreach (var tensor in tensors.OrderBy(t => t.Name, StringComparer.Ordinal))
        {
            Begin(tensor.Name, tensor.Type, tensor.Shape);
            tensor.Visit(hash.AppendData);
        }
    }

    public void Add(SafetensorsFile file)
    {
        foreach (var tensor in file.Tensors.Values)
        {
            Begin(tensor.Name, tensor.Type, tensor.Shape);
            file.Visit(tensor, hash.AppendData);
        }
    }

    /// <summary>Lower-case hex; the digest is spent.</summary>
    public string Finish() => Convert.ToHexStringLower(hash.GetHashAndReset());

    public void Dispose() => hash.Dispose();

    private void Begin(string name, TensorType type, IReadOnlyList<int> shape)
    {
        if (string.CompareOrdinal(name, previous) < 0)
            throw new InvalidOperationException($"tensor {name} comes after {previous}: the digest needs ordinal order");
        previous = name;
        AddText(name);
        AddText(type.ToString());
        AddText(string.Join(',', shape.Select(side => side.ToString(CultureInfo.InvariantCulture))));
    }
}
