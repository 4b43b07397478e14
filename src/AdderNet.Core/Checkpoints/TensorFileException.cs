using System.Text;

namespace AdderNet.Core.Checkpoints;

/// <summary>A safetensors file is missing, damaged or not what was asked for. The message is one line: file, then fault.</summary>
public sealed class TensorFileException : Exception
{
    private const int LongestName = 120;

    /// <param name="source">The file, or what the bytes came from.</param>
    /// <param name="problem">What is wrong, in one line.</param>
    /// <param name="inner">What the file system or parser said, if it did.</param>
    public TensorFileException(string source, string problem, Exception? inner = null)
        : base($"{source}: {problem}", inner)
    {
    }

    /// <summary>Text from a file that is not trusted, made fit to stand in a one-line message.</summary>
    internal static string Quote(string text)
    {
        var quoted = new StringBuilder("'");
        foreach (var c in text.AsSpan(0, Math.Min(text.Length, LongestName)))
            quoted.Append(char.IsControl(c) || char.IsSurrogate(c) ? '?' : c);
        return quoted.Append(text.Length > LongestName ? "...'" : "'").ToString();
    }
}
