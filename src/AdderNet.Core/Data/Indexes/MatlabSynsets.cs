using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace AdderNet.Core.Data.Indexes;

/// <summary>
/// The numbers of classes from the ILSVRC2012 development kit's <c>meta.mat</c>: a MATLAB level 5 file with a structure
/// array of which fields ILSVRC2012_ID and WNID are read. Format: MathWorks, "MAT-File Format", level 5.
/// </summary>
internal static class MatlabSynsets
{
    private const int HeaderBytes = 128;
    private const int Compressed = 15;
    private const int Matrix = 14;
    private const int StructureClass = 2;
    private const long LargestFile = 64 << 20;

    private readonly record struct Element(int Type, ReadOnlyMemory<byte> Data);

    /// <summary>WordNet id of each class number.</summary>
    /// <exception cref="DataException">The file cannot be read or is not such a file.</exception>
    public static Dictionary<int, string> Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length > LargestFile)
                throw Wrong(path, "it is too long");
            ReadOnlyMemory<byte> rest = File.ReadAllBytes(path);
            if (rest.Length < HeaderBytes || rest.Span[126] != 'I' || rest.Span[127] != 'M')
                throw Wrong(path, "it is no little-endian MATLAB 5 file");
            rest = rest[HeaderBytes..];
            while (!rest.IsEmpty)
            {
                var element = Next(ref rest);
                if (element.Type == Compressed)
                {
                    ReadOnlyMemory<byte> inner = Inflate(element.Data, path);
                    element = Next(ref inner);
                }

                if (element.Type == Matrix && ReadStructure(element.Data, path) is { } found)
                    return found;
            }

            throw Wrong(path, "it has no structure with fields ILSVRC2012_ID and WNID");
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException or OverflowException or InvalidDataException)
        {
            throw Wrong(path, "it is cut short or damaged");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    private static Dictionary<int, string>? ReadStructure(ReadOnlyMemory<byte> matrix, string path)
    {
        if ((Next(ref matrix).Data.Span[0] & 0xFF) != StructureClass)
            return null;
        var count = 1;
        for (var sides = Next(ref matrix).Data.Span; !sides.IsEmpty; sides = sides[sizeof(int)..])
            count = checked(count * BinaryPrimitives.ReadInt32LittleEndian(sides));
        _ = Next(ref matrix);
        var nameLength = BinaryPrimitives.ReadInt32LittleEndian(Next(ref matrix).Data.Span);
        var names = Next(ref matrix).Data.Span;
        ArgumentOutOfRangeException.ThrowIfLessThan(nameLength, 1);
        var fields = new List<string>();
        for (; names.Length >= nameLength; names = names[nameLength..])
            fields.Add(Encoding.ASCII.GetString(names[..nameLength]).TrimEnd('\0'));
        var (number, synset) = (fields.IndexOf("ILSVRC2012_ID"), fields.IndexOf("WNID"));
        if (number < 0 || synset < 0)
            return null;

        var map = new Dictionary<int, string>();
        for (var i = 0; i < count; i++)
        {
            var (id, name) = (0, "");
            for (var field = 0; field < fields.Count; field++)
            {
                var value = Next(ref matrix).Data;
                if (field == number)
                    id = (int)Number(Content(value));
                else if (field == synset)
                    name = Text(Content(value));
            }

            if (!map.TryAdd(id, name))
                throw Wrong(path, $"number {id} is given twice");
        }

        return map;
    }

    /// <summary>The values of an array of numbers or characters, behind its flags, sides and name.</summary>
    private static Element Content(ReadOnlyMemory<byte> matrix)
    {
        _ = Next(ref matrix);
        _ = Next(ref matrix);
        _ = Next(ref matrix);
        return Next(ref matrix);
    }

    private static double Number(Element value) => value.Type switch
    {
        1 => (sbyte)value.Data.Span[0],
        2 => value.Data.Span[0],
        3 => BinaryPrimitives.ReadInt16LittleEndian(value.Data.Span),
        4 => BinaryPrimitives.ReadUInt16LittleEndian(value.Data.Span),
        5 => BinaryPrimitives.ReadInt32LittleEndian(value.Data.Span),
        6 => BinaryPrimitives.ReadUInt32LittleEndian(value.Data.Span),
        9 => BinaryPrimitives.ReadDoubleLittleEndian(value.Data.Span),
        _ => throw new InvalidDataException(),
    };

    private static string Text(Element value) => value.Type switch
    {
        4 or 17 => Encoding.Unicode.GetString(value.Data.Span),
        _ => Encoding.UTF8.GetString(value.Data.Span),
    };

    /// <summary>Takes the next element: its type and length in 8 bytes, or in 4 when up to 4 bytes of data follow at once.</summary>
    private static Element Next(ref ReadOnlyMemory<byte> rest)
    {
        var type = BinaryPrimitives.ReadInt32LittleEndian(rest.Span);
        if (type >> 16 != 0)
        {
            var small = new Element(type & 0xFFFF, rest.Slice(4, type >> 16));
            rest = rest[8..];
            return small;
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(rest.Span[4..]);
        var element = new Element(type, rest.Slice(8, length));
        var padded = type == Compressed ? 8L + length : 8 + ((length + 7L) & ~7L);
        rest = rest[(int)Math.Min(rest.Length, padded)..];
        return element;
    }

    private static byte[] Inflate(ReadOnlyMemory<byte> data, string path)
    {
        using var stream = new ZLibStream(new MemoryStream(data.ToArray()), CompressionMode.Decompress);
        using var plain = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (int read; (read = stream.Read(buffer)) > 0;)
        {
            if (plain.Length + read > LargestFile)
                throw Wrong(path, "it is too long");
            plain.Write(buffer, 0, read);
        }

        return plain.ToArray();
    }

    private static DataException Wrong(string path, string why) => new($"{path}: is not the development kit's meta.mat: {why}");
}
