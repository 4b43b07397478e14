using System.Globalization;

namespace AdderNet.Core.Checkpoints;

/// <summary>What our own files say about themselves, with a hash over all of it and the tensors.</summary>
internal sealed record TensorFileMetadata(string Kind, long Step, string RunIdentity)
{
    public const string Checkpoint = "checkpoint";
    public const string Weights = "weights";

    /// <summary>Other readers of the format take this pair as "names and layouts are PyTorch's".</summary>
    public const string FormatKey = "format";
    public const string PyTorchFormat = "pt";

    private const string KindKey = "addernet";
    private const string HashKey = "content_sha256";
    private const string IdentityKey = "run_identity";
    private const string StepKey = "step";

    /// <summary>The metadata pairs to write with these tensors. Only what the training itself fixes goes in: no time, no machine.</summary>
    public SortedDictionary<string, string> With(IReadOnlyList<NamedTensor> tensors)
    {
        var pairs = Pairs();
        using var digest = Begin(pairs);
        digest.Add(tensors);
        pairs.Add(HashKey, digest.Finish());
        return pairs;
    }

    /// <summary>
    /// Reads the metadata of one of our files and compares its hash with the file's whole content; null for a file by
    /// another program.
    /// </summary>
    /// <exception cref="TensorFileException">The file was altered.</exception>
    public static TensorFileMetadata? Verify(SafetensorsFile file)
    {
        if (!file.Metadata.TryGetValue(KindKey, out var kind))
            return null;
        var identity = file.Metadata.GetValueOrDefault(IdentityKey, "");
        var step = 0L;
        if (kind == Checkpoint
            && (!file.Metadata.TryGetValue(StepKey, out var text) || !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out step)))
        {
            throw new TensorFileException(file.Source, "does not say which step it holds");
        }

        using var digest = Begin(file.Metadata.Where(pair => pair.Key != HashKey));
        digest.Add(file);
        var found = digest.Finish();
        var told = file.Metadata.GetValueOrDefault(HashKey, "none");
        if (found != told)
            throw new TensorFileException(file.Source, $"was altered: its content has SHA-256 {found}, but it was written with {TensorFileException.Quote(told)}");
        return new TensorFileMetadata(kind, step, identity);
    }

    private static TensorDigest Begin(IEnumerable<KeyValuePair<string, string>> pairs)
    {
        var digest = new TensorDigest();
        foreach (var (key, value) in pairs)
        {
            digest.AddText(key);
            digest.AddText(value);
        }

        return digest;
    }

    private SortedDictionary<string, string> Pairs()
    {
        var pairs = new SortedDictionary<string, string>(StringComparer.Ordinal) { [KindKey] = Kind, [FormatKey] = PyTorchFormat };
        if (Kind == Checkpoint)
        {
            pairs[IdentityKey] = RunIdentity;
            pairs[StepKey] = Step.ToString(CultureInfo.InvariantCulture);
        }

        return pairs;
    }
}
