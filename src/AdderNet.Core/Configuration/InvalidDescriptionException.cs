namespace AdderNet.Core.Configuration;

/// <summary>
/// A run description, or a <c>--set</c> override, is wrong. The message is one line: where, the key, its value, what is
/// wrong, and a valid example.
/// </summary>
public sealed class InvalidDescriptionException : Exception
{
    private const int LongestValue = 120;

    private InvalidDescriptionException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>A fault of one key's value.</summary>
    /// <param name="where">File and line, or the option that gave the value.</param>
    /// <param name="key">Dotted key.</param>
    /// <param name="value">The bad value as it was written; null when there is none.</param>
    /// <param name="problem">What is wrong with it, as the rest of a sentence.</param>
    /// <param name="example">A valid setting.</param>
    public static InvalidDescriptionException OfKey(string where, string key, string? value, string problem, string example) =>
        new($"{where}: {key}{(value is null ? "" : $": {OneLine(value)}")} {problem}; for example {example}");

    /// <summary>A fault of the file as a whole.</summary>
    internal static InvalidDescriptionException OfFile(string where, string problem, Exception? inner = null) => new($"{where}: {OneLine(problem)}", inner);

    /// <summary>Text from outside made fit for a one-line message.</summary>
    internal static string OneLine(string text)
    {
        var clean = string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
        return clean.Length <= LongestValue ? clean : string.Concat(clean.AsSpan(0, LongestValue), "...");
    }
}
