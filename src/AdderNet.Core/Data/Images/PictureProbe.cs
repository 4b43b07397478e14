using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using AdderNet.Core.Configuration;

namespace AdderNet.Core.Data.Images;

/// <summary>
/// The way from encoded pictures to samples, over built-in pictures of each kind whose decoding has code of its own: chroma
/// samplings, progressive, CMYK, PNG. Machines that agree on its hash have the same pixels.
/// </summary>
internal static class PictureProbe
{
    private const string Prefix = "probe/";
    private const int Side = 16;
    private const int Epochs = 4;

    /// <summary>Lower-case hex SHA-256 over the samples.</summary>
    /// <param name="decoding">How the run decodes.</param>
    /// <exception cref="DataException">A library is not installed, or cannot decode a picture of the probe.</exception>
    public static string Hash(PhotographDecoding decoding)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var pipeline = new PhotographPipeline(Side, Augmentation.ImageNet, decoding);
        var sample = new float[pipeline.Elements];
        foreach (var (name, encoded) in Pictures())
        {
            pipeline.RenderEvaluation(encoded, name, sample);
            hash.AppendData(MemoryMarshal.AsBytes<float>(sample));
            for (var epoch = 0; epoch < Epochs; epoch++)
            {
                pipeline.RenderTraining(encoded, name, seed: 1, epoch, sample: 0, sample);
                hash.AppendData(MemoryMarshal.AsBytes<float>(sample));
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Names and bytes, in ordinal order of names.</summary>
    private static IEnumerable<(string Name, byte[] Encoded)> Pictures()
    {
        var assembly = Assembly.GetExecutingAssembly();
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            var encoded = new byte[stream.Length];
            stream.ReadExactly(encoded);
            yield return (name, encoded);
        }
    }
}
