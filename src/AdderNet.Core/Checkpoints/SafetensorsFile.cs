using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace AdderNet.Core.Checkpoints;

/// <summary>
/// A safetensors file: 8 bytes little-endian header length, a JSON header naming each tensor's dtype, shape and place,
/// then the tensors' bytes. The header is checked as a whole when the file is opened; tensors are read on demand.
/// Not safe for use from several threads at once.
/// </summary>
internal sealed class SafetensorsFile : IDisposable
{
    /// <summary>The longest header accepted, as in the format's reference implementation.</summary>
    public const int LongestHeader = 100_000_000;

    private const int PrefixLength = 8;
    private readonly Stream stream;
    private readonly long dataStart;
    private readonly SafetensorsHeader header;

    private SafetensorsFile(Stream stream, string source, long dataStart, SafetensorsHeader header) =>
        (this.stream, Source, this.dataStart, this.header) = (stream, source, dataStart, header);

    /// <summary>The file's name, for messages.</summary>
    public string Source { get; }

    /// <summary>The free text pairs of <c>__metadata__</c>, in ordinal order of keys.</summary>
    public IReadOnlyDictionary<string, string> Metadata => header.Metadata;

    /// <summary>Tensors by name, in ordinal order.</summary>
    public IReadOnlyDictionary<string, TensorEntry> Tensors => header.Tensors;

    /// <summary>Opens a file and checks its header.</summary>
    /// <exception cref="TensorFileException">The file is missing, unreadable or not a sound safetensors file.</exception>
    public static SafetensorsFile Open(string path)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TensorFileException(path, e switch
            {
                FileNotFoundException or DirectoryNotFoundException => "no such file",
                UnauthorizedAccessException when Directory.Exists(path) => "is a directory, not a safetensors file",
                _ => $"cannot be read: {e.Message}",
            }, e);
        }

        return Open(file, path);
    }

    /// <summary>Takes over a seekable stream that holds a whole file.</summary>
    /// <param name="stream">Disposed with this object, and at once when the header is refused.</param>
    /// <param name="source">Names the stream in errors.</param>
    /// <exception cref="TensorFileException">The bytes are not a sound safetensors file.</exception>
    public static SafetensorsFile Open(Stream stream, string source)
    {
        try
        {
            var length = stream.Length;
            if (length < PrefixLength)
                throw new TensorFileException(source, $"has {length} bytes, too few for a safetensors file");
            stream.Position = 0;
            Span<byte> prefix = stackalloc byte[PrefixLength];
            stream.ReadExactly(prefix);
            var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
            if (headerLength > LongestHeader)
                throw new TensorFileException(source, $"claims a header of {headerLength} bytes; at most {LongestHeader} are accepted, so this is not a safetensors file");
            if ((long)headerLength > length - PrefixLength)
                throw new TensorFileException(source, $"claims a header of {headerLength} bytes but only {length - PrefixLength} follow: the file is cut short");
            var json = new byte[headerLength];
            stream.ReadExactly(json);
            var dataStart = PrefixLength + (long)headerLength;
            return new SafetensorsFile(stream, source, dataStart, SafetensorsHeader.Parse(json, length - dataStart, source));
        }
        catch (IOException e)
        {
            stream.Dispose();
            throw new TensorFileException(source, $"cannot be read: {e.Message}", e);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Reads a float32 tensor.</summary>
    /// <exception cref="TensorFileException">There is none of that name and type, or it cannot be read.</exception>
    public float[] ReadFloat32(string name)
    {
        var values = new float[Count(name, TensorType.F32)];
        Read(name, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    /// <summary>Reads a float32 tensor into a buffer of exactly its size.</summary>
    /// <exception cref="TensorFileException">There is none of that name and type, or it cannot be read.</exception>
    public void ReadFloat32(string name, Span<float> destination)
    {
        if (Count(name, TensorType.F32) != destination.Length)
            throw new ArgumentException($"tensor {name} has {Count(name, TensorType.F32)} elements, the destination {destination.Length}");
        Read(name, MemoryMarshal.AsBytes(destination));
    }

    /// <summary>Reads an int64 tensor.</summary>
    /// <exception cref="TensorFileException">There is none of that name and type, or it cannot be read.</exception>
    public long[] ReadInt64(string name)
    {
        var values = new long[Count(name, TensorType.I64)];
        Read(name, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    /// <summary>Reads a float64 tensor.</summary>
    /// <exception cref="TensorFileException">There is none of that name and type, or it cannot be read.</exception>
    public double[] ReadFloat64(string name)
    {
        var values = new double[Count(name, TensorType.F64)];
        Read(name, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    /// <summary>Reads a tensor of bytes.</summary>
    /// <exception cref="TensorFileException">There is none of that name and type, or it cannot be read.</exception>
    public byte[] ReadUInt8(string name)
    {
        var values = new byte[Count(name, TensorType.U8)];
        Read(name, values);
        return values;
    }

    /// <summary>
    /// Writes a file: tensors in ordinal order of names, metadata in ordinal order of keys, so that equal content is
    /// equal bytes. The header is padded with spaces to a multiple of 8.
    /// </summary>
    public static void Write(Stream destination, IEnumerable<NamedTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        var ordered = tensors.OrderBy(t => t.Name, StringComparer.Ordinal).ToList();
        for (var i = 0; i < ordered.Count; i++)
        {
            if (ordered[i].Name == "__metadata__" || (i > 0 && ordered[i].Name == ordered[i - 1].Name))
                throw new ArgumentException($"tensor name {ordered[i].Name} is used twice or reserved");
        }

        var json = HeaderJson(ordered, metadata);
        Span<byte> prefix = stackalloc byte[PrefixLength];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)json.Length);
        destination.Write(prefix);
        destination.Write(json);
        foreach (var tensor in ordered)
            tensor.Visit(destination.Write);
    }

    /// <inheritdoc/>
    public void Dispose() => stream.Dispose();

    /// <summary>Gives a tensor's bytes in order, in pieces of at most 1 MB.</summary>
    internal void Visit(TensorEntry tensor, NamedTensor.ByteVisitor visitor)
    {
        var buffer = new byte[(int)Math.Min(tensor.ByteLength, 1 << 20)];
        for (var done = 0L; done < tensor.ByteLength;)
        {
            var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, tensor.ByteLength - done));
            Read(tensor, done, piece);
            visitor(piece);
            done += piece.Length;
        }
    }

    private static byte[] HeaderJson(List<NamedTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                    json.WriteString(key, value);
                json.WriteEndObject();
            }

            var offset = 0L;
            foreach (var tensor in tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", tensor.Type.ToString());
                json.WriteStartArray("shape");
                foreach (var side in tensor.Shape)
                    json.WriteNumberValue(side);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += tensor.ByteLength);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (buffer.Length % 8 != 0)
            buffer.WriteByte((byte)' ');
        return buffer.ToArray();
    }

    private int Count(string name, TensorType type)
    {
        if (!header.Tensors.TryGetValue(name, out var tensor))
            throw new TensorFileException(Source, $"has no tensor '{name}'");
        if (tensor.Type != type)
            throw new TensorFileException(Source, $"tensor '{name}' is {tensor.Form}, not {type}");
        if (tensor.Count > Array.MaxLength)
            throw new TensorFileException(Source, $"tensor '{name}' has {tensor.Count} elements, too many to hold");
        return (int)tensor.Count;
    }

    private void Read(string name, Span<byte> destination) => Read(header.Tensors[name], 0, destination);

    private void Read(TensorEntry tensor, long first, Span<byte> destination)
    {
        try
        {
            stream.Position = dataStart + tensor.Offset + first;
            stream.ReadExactly(destination);
        }
        catch (IOException e)
        {
            throw new TensorFileException(Source, $"tensor {TensorFileException.Quote(tensor.Name)} cannot be read: {e.Message}", e);
        }
    }
}
