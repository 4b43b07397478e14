using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;

namespace AdderNet.Core.Checkpoints;

/// <summary>A tensor of a safetensors file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Sides, outermost first; empty for a scalar.</param>
/// <param name="Offset">First byte, counted from the end of the header.</param>
/// <param name="ByteLength">Bytes of all elements.</param>
internal sealed record TensorEntry(string Name, TensorType Type, IReadOnlyList<int> Shape, long Offset, long ByteLength)
{
    /// <summary>Elements.</summary>
    public long Count => ByteLength / Type.Size();

    /// <summary>Type and shape as error messages show them.</summary>
    internal string Form => $"{Type} [{string.Join(',', Shape)}]";
}

/// <summary>
/// Parses the JSON header of a safetensors file. Nothing in it is believed: names are unique, sizes are computed with
/// checked arithmetic, and the tensors must cover the data without overlap, hole or rest.
/// </summary>
internal sealed class SafetensorsHeader
{
    private const int MostSides = 16;
    private readonly string source;

    private SafetensorsHeader(string source) => this.source = source;

    public SortedDictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, TensorEntry> Tensors { get; } = new(StringComparer.Ordinal);

    /// <param name="json">The header's bytes.</param>
    /// <param name="dataLength">Bytes that follow the header.</param>
    /// <param name="source">Names the file in errors.</param>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> json, long dataLength, string source)
    {
        var header = new SafetensorsHeader(source);
        if (json.IsEmpty || json[0] != '{')
            throw header.Fault("the header does not begin with '{', so this is not a safetensors file");
        if (!Utf8.IsValid(json))
            throw header.Fault("the header is not UTF-8");
        try
        {
            header.ReadAll(json.TrimEnd((byte)' '));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: an escape that names half a surrogate pair.
            throw new TensorFileException(source, "the header is not valid JSON", e);
        }

        header.CheckCover(dataLength);
        return header;
    }

    private void ReadAll(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 4 });
        Expect(ref reader, JsonTokenType.StartObject, "the header");
        var sawMetadata = false;
        while (NextName(ref reader, out var name))
        {
            if (name != "__metadata__")
            {
                if (!Tensors.TryAdd(name, ReadTensor(ref reader, name)))
                    throw Fault($"tensor {TensorFileException.Quote(name)} stands twice in the header");
                continue;
            }

            if (sawMetadata)
                throw Fault("__metadata__ stands twice in the header");
            sawMetadata = true;
            ReadMetadata(ref reader);
        }

        if (reader.Read())
            throw Fault("something follows the header's JSON");
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.StartObject, "__metadata__");
        while (NextName(ref reader, out var key))
        {
            Expect(ref reader, JsonTokenType.String, $"metadata {TensorFileException.Quote(key)}");
            if (!Metadata.TryAdd(key, reader.GetString()!))
                throw Fault($"metadata {TensorFileException.Quote(key)} stands twice");
        }
    }

    private TensorEntry ReadTensor(ref Utf8JsonReader reader, string name)
    {
        var quoted = TensorFileException.Quote(name);
        TensorType? type = null;
        List<long>? shape = null, offsets = null;
        Expect(ref reader, JsonTokenType.StartObject, $"tensor {quoted}");
        while (NextName(ref reader, out var field))
        {
            var repeated = field switch { "dtype" => type is not null, "shape" => shape is not null, "data_offsets" => offsets is not null, _ => false };
            if (repeated)
                throw Fault($"tensor {quoted} has {field} twice");
            switch (field)
            {
                case "dtype":
                    Expect(ref reader, JsonTokenType.String, $"dtype of tensor {quoted}");
                    var spelt = reader.GetString()!;
                    if (!TensorTypes.TryParse(spelt, out var parsed))
                        throw Fault($"tensor {quoted} has unknown dtype {TensorFileException.Quote(spelt)}; for example F32");
                    type = parsed;
                    break;
                case "shape":
                    shape = ReadIntegers(ref reader, $"shape of tensor {quoted}");
                    break;
                case "data_offsets":
                    offsets = ReadIntegers(ref reader, $"data_offsets of tensor {quoted}");
                    break;
                default:
                    throw Fault($"tensor {quoted} has unknown field {TensorFileException.Quote(field)}");
            }
        }

        if (type is null || shape is null || offsets is null)
            throw Fault($"tensor {quoted} lacks dtype, shape or data_offsets");
        return CheckTensor(name, type.Value, shape, offsets);
    }

    private TensorEntry CheckTensor(string name, TensorType type, List<long> shape, List<long> offsets)
    {
        var quoted = TensorFileException.Quote(name);
        if (offsets.Count != 2 || offsets[1] < offsets[0])
            throw Fault($"data_offsets of tensor {quoted} are not a begin and an end");
        if (shape.Exists(side => side > int.MaxValue))
            throw Fault($"shape of tensor {quoted} is too large");
        long bytes = type.Size();
        try
        {
            foreach (var side in shape)
                bytes = checked(bytes * side);
        }
        catch (OverflowException e)
        {
            throw new TensorFileException(source, $"shape of tensor {quoted} is too large", e);
        }

        if (bytes != offsets[1] - offsets[0])
            throw Fault($"tensor {quoted} takes {bytes} bytes by its shape, but data_offsets give it {offsets[1] - offsets[0]}");
        return new TensorEntry(name, type, shape.ConvertAll(side => (int)side), offsets[0], bytes);
    }

    /// <summary>Tensors sorted by place must touch one another from 0 to the end: no overlap, no hole, nothing after.</summary>
    private void CheckCover(long dataLength)
    {
        var end = 0L;
        foreach (var tensor in Tensors.Values.OrderBy(t => t.Offset).ThenBy(t => t.ByteLength))
        {
            var quoted = TensorFileException.Quote(tensor.Name);
            if (tensor.Offset + tensor.ByteLength > dataLength)
                throw Fault($"tensor {quoted} ends at byte {tensor.Offset + tensor.ByteLength} of the data, which has only {dataLength}: the file is cut short");
            if (tensor.Offset != end)
                throw Fault($"tensor {quoted} begins at byte {tensor.Offset} of the data, not at {end} where the one before it ends");
            end += tensor.ByteLength;
        }

        if (end != dataLength)
            throw Fault($"{dataLength - end} bytes follow the last tensor");
    }

    private bool NextName(ref Utf8JsonReader reader, out string name)
    {
        if (!reader.Read())
            throw new JsonException("ends early");
        var named = reader.TokenType == JsonTokenType.PropertyName;
        name = named ? reader.GetString()! : "";
        return named;
    }

    private void Expect(ref Utf8JsonReader reader, JsonTokenType type, string what)
    {
        if (!reader.Read())
            throw new JsonException("ends early");
        if (reader.TokenType != type)
            throw Fault($"{what} is not {(type == JsonTokenType.String ? "a string" : type == JsonTokenType.StartArray ? "an array" : "an object")}");
    }

    private List<long> ReadIntegers(ref Utf8JsonReader reader, string what)
    {
        Expect(ref reader, JsonTokenType.StartArray, what);
        var values = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var value) || value < 0)
                throw Fault($"{what} holds something that is not a whole number from 0 to {long.MaxValue.ToString(CultureInfo.InvariantCulture)}");
            if (values.Count == MostSides)
                throw Fault($"{what} has more than {MostSides} numbers");
            values.Add(value);
        }

        return values;
    }

    private TensorFileException Fault(string problem) => new(source, problem);
}
