using System.Globalization;

namespace AdderNet.Core.Configuration;

/// <summary>One key of a run description: how its value is read, shown and what it must be.</summary>
/// <param name="Name">Dotted name.</param>
/// <param name="Expected">What a value must be, for error messages.</param>
/// <param name="Example">A valid value.</param>
/// <param name="InIdentity">Whether another value is another run.</param>
/// <param name="Get">The value's canonical text; null when unset.</param>
/// <param name="Set">The description with the value parsed from text; null when the text is no valid value.</param>
internal sealed record DescriptionKey(
    string Name,
    string Expected,
    string Example,
    bool InIdentity,
    Func<RunDescription, string?> Get,
    Func<RunDescription, string, RunDescription?> Set)
{
    public static DescriptionKey Integer(
        string name, long least, long most, long example, bool inIdentity, Func<RunDescription, long> get, Func<RunDescription, long, RunDescription> set) => new(
        name, $"must be a whole number from {Text(least)} to {Text(most)}", Text(example), inIdentity,
        d => Text(get(d)),
        (d, text) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most ? set(d, value) : null);

    /// <summary>A finite number; the bounds are part of the range where <paramref name="range"/>'s brackets are square.</summary>
    public static DescriptionKey Number(
        string name, (double Least, double Most, string Brackets) range, double example, bool inIdentity, Func<RunDescription, double> get, Func<RunDescription, double, RunDescription> set) => new(
        name, $"must be a number {Bound(range.Brackets[0] == '[', "at least", "above", range.Least)} and {Bound(range.Brackets[1] == ']', "at most", "below", range.Most)}", Text(example), inIdentity,
        d => Text(get(d)),
        (d, text) => double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var value)
            && (range.Brackets[0] == '[' ? value >= range.Least : value > range.Least)
            && (range.Brackets[1] == ']' ? value <= range.Most : value < range.Most) ? set(d, value) : null);

    public static DescriptionKey Flag(string name, bool example, bool inIdentity, Func<RunDescription, bool> get, Func<RunDescription, bool, RunDescription> set) => new(
        name, "must be true or false", example ? "true" : "false", inIdentity,
        d => get(d) ? "true" : "false",
        (d, text) => text switch { "true" => set(d, true), "false" => set(d, false), _ => null });

    public static DescriptionKey Choice<T>(string name, T example, bool inIdentity, Func<RunDescription, T> get, Func<RunDescription, T, RunDescription> set)
        where T : struct, Enum => new(
        name, $"must be one of {string.Join(", ", Spelling.All<T>())}", Spelling.Of(example), inIdentity,
        d => Spelling.Of(get(d)),
        (d, text) => Spelling.TryParse<T>(text, out var value) ? set(d, value) : null);

    /// <summary>A directory; empty text unsets it. Never part of the identity: the same data may lie elsewhere.</summary>
    public static DescriptionKey Directory(string name, string example, Func<RunDescription, string?> get, Func<RunDescription, string?, RunDescription> set) => new(
        name, "must be a directory", example, InIdentity: false,
        get,
        (d, text) => text.Contains('\0', StringComparison.Ordinal) ? null : set(d, text.Length == 0 ? null : text));

    /// <summary>Canonical text of a number: what parses to the same bits.</summary>
    private static string Text(double value)
    {
        var text = value.ToString("R", CultureInfo.InvariantCulture).Replace('E', 'e');
        // YAML 1.1 readers take "1e-05" for a string: the point makes it a number everywhere.
        return text.Contains('e', StringComparison.Ordinal) && !text.Contains('.', StringComparison.Ordinal) ? text.Replace("e", ".0e", StringComparison.Ordinal) : text;
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Bound(bool included, string with, string without, double bound) => $"{(included ? with : without)} {Text(bound)}";
}
