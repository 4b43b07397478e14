using System.Globalization;
using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace AdderNet.Core.Configuration;

/// <summary>A key with the text of its value, as it stands in a file or option.</summary>
/// <param name="Where">File and line, or the option.</param>
/// <param name="Key">Dotted name, not yet known to be a key.</param>
/// <param name="Value">Its text; null for YAML's null.</param>
internal sealed record KeyText(string Where, string Key, string? Value);

/// <summary>
/// The YAML of a run description: one mapping of sections, each a mapping of scalars. Anything more (lists, anchors,
/// tags, deeper nesting) is refused where it begins, so hostile documents cannot grow.
/// </summary>
internal static class DescriptionYaml
{
    /// <summary>Characters of a description that are read at most.</summary>
    public const int LongestText = 1 << 20;

    /// <exception cref="InvalidDescriptionException">The text is no such YAML, or gives a key twice.</exception>
    public static IReadOnlyList<KeyText> Read(string text, string source)
    {
        if (text.Length > LongestText)
            throw InvalidDescriptionException.OfFile(source, $"is too long: a run description has at most {LongestText} characters");
        try
        {
            return ReadDocument(new Parser(new Scanner(new StringReader(text), skipComments: true)), source);
        }
        catch (YamlException e)
        {
            throw InvalidDescriptionException.OfFile($"{source}:{e.Start.Line}", $"is not valid YAML: {(e.InnerException ?? e).Message}", e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException or OverflowException or IndexOutOfRangeException)
        {
            // What the scanner itself trips over in some malformed texts, such as "{data[".
            throw InvalidDescriptionException.OfFile(source, "is not valid YAML", e);
        }
    }

    /// <summary>Canonical YAML: every key that is set, in a fixed order.</summary>
    public static string Write(RunDescription description)
    {
        var text = new StringBuilder();
        var section = "";
        foreach (var key in DescriptionKeys.All)
        {
            if (key.Get(description) is not { } value)
                continue;
            var dot = key.Name.IndexOf('.', StringComparison.Ordinal);
            if (dot >= 0 && key.Name[..dot] != section)
                text.Append(section = key.Name[..dot]).Append(":\n");
            text.Append(dot >= 0 ? "  " : "").Append(key.Name.AsSpan(dot + 1)).Append(": ").Append(Scalar(value)).Append('\n');
        }

        return text.ToString();
    }

    private static List<KeyText> ReadDocument(IParser parser, string source)
    {
        var found = new List<KeyText>();
        parser.Consume<StreamStart>();
        if (parser.Accept<StreamEnd>(out _))
            return found;
        parser.Consume<DocumentStart>();
        if (!parser.TryConsume<MappingStart>(out _))
            throw Unexpected(parser.Current!, source, "the document");
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var name = ReadScalar(parser, source, "a key");
            if (DescriptionKeys.Sections.Contains(name.Value))
            {
                ReadSection(parser, source, name.Value, found);
                continue;
            }

            var where = Where(source, name);
            if (DescriptionKeys.Find(name.Value) is null)
                throw UnknownTopLevel(where, name.Value);
            Add(found, where, name.Value, ReadScalar(parser, source, name.Value));
        }

        parser.Consume<DocumentEnd>();
        if (!parser.TryConsume<StreamEnd>(out _))
            throw InvalidDescriptionException.OfFile(source, "holds more than one YAML document");
        return found;
    }

    private static void ReadSection(IParser parser, string source, string section, List<KeyText> found)
    {
        if (parser.Accept<Scalar>(out var scalar))
        {
            parser.MoveNext();
            if (Value(scalar) is { } value)
                throw InvalidDescriptionException.OfKey(Where(source, scalar), section, value, "is a value, but this is a section of keys", SectionExample(section));
            return;
        }

        if (!parser.TryConsume<MappingStart>(out var start))
            throw Unexpected(parser.Current!, source, section);
        Plain(start, source, section);
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var name = ReadScalar(parser, source, $"a key of {section}");
            var key = $"{section}.{name.Value}";
            if (DescriptionKeys.Find(key) is null)
                throw UnknownKey(Where(source, name), key);
            Add(found, Where(source, name), key, ReadScalar(parser, source, key));
        }
    }

    public static InvalidDescriptionException UnknownKey(string where, string name)
    {
        var nearest = DescriptionKeys.Nearest(name);
        return InvalidDescriptionException.OfKey(where, InvalidDescriptionException.OneLine(name), null, $"is not a key; did you mean {nearest.Name}", $"{nearest.Name}: {nearest.Example}");
    }

    private static InvalidDescriptionException UnknownTopLevel(string where, string name)
    {
        var section = NearestName.Of(name, DescriptionKeys.Sections.Append("seed"));
        var key = DescriptionKeys.Nearest(name);
        // A key without its section, such as "shards: 8", is nearer to that key than to any section.
        var meant = NearestName.Distance(name, key.Name[(key.Name.IndexOf('.', StringComparison.Ordinal) + 1)..]) < NearestName.Distance(name, section) ? key.Name : section;
        var example = DescriptionKeys.Find(meant) is { } whole ? $"{whole.Name}: {whole.Example}" : SectionExample(meant);
        return InvalidDescriptionException.OfKey(where, InvalidDescriptionException.OneLine(name), null, $"is not a key; did you mean {meant}", example);
    }

    private static string SectionExample(string section)
    {
        var key = DescriptionKeys.All.First(key => key.Name.StartsWith(section + ".", StringComparison.Ordinal));
        return $"{section}: {{{key.Name[(section.Length + 1)..]}: {key.Example}}}";
    }

    private static void Add(List<KeyText> found, string where, string key, Scalar scalar)
    {
        if (found.Exists(earlier => earlier.Key == key))
            throw InvalidDescriptionException.OfKey(where, key, Value(scalar), "is given twice", $"one line {key}: {DescriptionKeys.Find(key)!.Example}");
        found.Add(new KeyText(where, key, Value(scalar)));
    }

    private static Scalar ReadScalar(IParser parser, string source, string what)
    {
        if (!parser.TryConsume<Scalar>(out var scalar))
            throw Unexpected(parser.Current!, source, what);
        Plain(scalar, source, what);
        return scalar;
    }

    private static void Plain(NodeEvent node, string source, string what)
    {
        if (!node.Anchor.IsEmpty || !node.Tag.IsEmpty)
            throw InvalidDescriptionException.OfFile(Where(source, node), $"{what} has an anchor or tag; run descriptions use plain keys and values only");
    }

    private static InvalidDescriptionException Unexpected(ParsingEvent found, string source, string what)
    {
        var kind = found switch { MappingStart => "a section", SequenceStart => "a list", AnchorAlias => "an alias", YamlDotNet.Core.Events.Scalar => "a value", _ => "nothing" };
        var wanted = what == "the document" ? "sections such as model: {name: lenet5}" : DescriptionKeys.Sections.Contains(what) ? SectionExample(what) : DescriptionKeys.Find(what) is { } key ? $"{key.Name}: {key.Example}" : "seed: 1";
        return InvalidDescriptionException.OfKey(Where(source, found), what, null, $"is {kind} here", wanted);
    }

    private static string? Value(Scalar scalar) =>
        scalar.Style == ScalarStyle.Plain && IsNull(scalar.Value) ? null : scalar.Value;

    private static bool IsNull(string plain) => plain is "" or "~" or "null" or "Null" or "NULL";

    private static string Where(string source, ParsingEvent found) => $"{source}:{found.Start.Line.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>Plain where no reader could take it for anything else, double-quoted otherwise.</summary>
    private static string Scalar(string value)
    {
        var sign = value.StartsWith('-') ? 1 : 0;
        if (!IsNull(value) && value.Length > sign && char.IsAsciiLetterOrDigit(value[sign])
            && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '+' or '_' or '/'))
            return value;
        var quoted = new StringBuilder("\"");
        foreach (var c in value)
        {
            if (c is '"' or '\\')
                quoted.Append('\\').Append(c);
            else if (char.IsControl(c) || c is '\u2028' or '\u2029' or '\ufeff' or '\u0085' or '\u00a0')
                quoted.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
            else
                quoted.Append(c);
        }

        return quoted.Append('"').ToString();
    }
}
