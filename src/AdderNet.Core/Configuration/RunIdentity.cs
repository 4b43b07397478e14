using System.Security.Cryptography;
using System.Text;
using AdderNet.Core.Data;

namespace AdderNet.Core.Configuration;

/// <summary>
/// What makes two runs the same run: model, data (not its path), batch, optimizer, gradient, schedule (not
/// <c>max_steps</c>), seed, the data's manifest, the initial weights, engine and numerics version.
/// Paths, <c>checkpoint</c>, <c>elastic</c>, <c>exchange</c>, <c>evaluation</c> and the number of workers may change on resume.
/// </summary>
public static class RunIdentity
{
    /// <summary>SHA-256, lower-case hex, over the lines that docs/file-formats.md lists.</summary>
    /// <param name="description">The run.</param>
    /// <param name="manifest">Its data.</param>
    /// <param name="initHash">Weights hash of <c>--init</c>'s weights; null without.</param>
    /// <param name="engine"><c>managed</c> or <c>cuda</c>.</param>
    public static string Compute(RunDescription description, DataManifest manifest, string? initHash, string engine) =>
        Compute(description, manifest.Hash, initHash, engine, Numerics.NumericsVersion.Current);

    internal static string Compute(RunDescription description, string manifestHash, string? initHash, string engine, int numerics)
    {
        var text = new StringBuilder("addernet run identity 1\n");
        foreach (var key in IdentityKeys)
            text.Append(key.Name).Append('=').Append(key.Get(description)).Append('\n');
        text.Append("manifest=").Append(manifestHash).Append('\n');
        text.Append("init=").Append(initHash ?? "none").Append('\n');
        text.Append("engine=").Append(engine).Append('\n');
        text.Append("numerics=").Append(numerics).Append('\n');
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    /// <summary>The keys of the identity in which two descriptions differ, such as <c>batch.shards: 8, now 16</c>; empty when in none.</summary>
    /// <param name="before">The run that exists.</param>
    /// <param name="now">The run that is asked for.</param>
    public static IReadOnlyList<string> Difference(RunDescription before, RunDescription now) =>
        IdentityKeys.Where(key => key.Get(before) != key.Get(now)).Select(key => $"{key.Name}: {key.Get(before)}, now {key.Get(now)}").ToList();

    private static IEnumerable<DescriptionKey> IdentityKeys => DescriptionKeys.All.Where(key => key.InIdentity).OrderBy(key => key.Name, StringComparer.Ordinal);
}
