using System.Buffers;
using System.Text;

namespace AdderNet.Worker.Exchange;

/// <summary>Writes Protocol Buffers fields into a span that is large enough; zeros are left out, as proto3 does.</summary>
internal ref struct WireFieldWriter(Span<byte> into)
{
    private readonly Span<byte> into = into;

    /// <summary>Bytes written.</summary>
    public int Written { get; private set; }

    public static int SizeOf(ulong value) => (70 - System.Numerics.BitOperations.LeadingZeroCount(value | 1)) / 7;

    public static int SizeOfField(ulong value) => value == 0 ? 0 : 1 + SizeOf(value);

    public void Field(int number, ulong value)
    {
        if (value == 0)
            return;
        into[Written++] = (byte)(number << 3);
        Varint(value);
    }

    /// <summary>The tag and length of a field of bytes; the bytes follow.</summary>
    public void Length(int number, int length)
    {
        into[Written++] = (byte)((number << 3) | WireFieldReader.Bytes);
        Varint((ulong)length);
    }

    public void Text(string text) => Written += Encoding.UTF8.GetBytes(text, into[Written..]);

    private void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            into[Written++] = (byte)(value | 0x80);
        into[Written++] = (byte)value;
    }
}

/// <summary>Reads Protocol Buffers fields where they lie. Throws <see cref="FormatException"/> for what is no such message.</summary>
internal ref struct WireFieldReader(ReadOnlySequence<byte> message)
{
    public const int Bytes = 2;
    private const int Varint = 0;
    private const int Fixed64 = 1;
    private const int Fixed32 = 5;

    private SequenceReader<byte> reader = new(message);
    private int type;

    /// <summary>The number of the next field; 0: there is none.</summary>
    public int Next()
    {
        if (reader.End)
            return 0;
        var tag = ReadVarint();
        type = (int)(tag & 7);
        return tag >> 3 is > 0 and <= (1 << 29) - 1 and var number ? (int)number : throw new FormatException($"a field has the tag {tag}");
    }

    public ulong Number() => type == Varint ? ReadVarint() : throw new FormatException($"a number has wire type {type}");

    /// <summary>The field's bytes, in the buffers of the message.</summary>
    public ReadOnlySequence<byte> Slice()
    {
        if (type != Bytes)
            throw new FormatException($"a field of bytes has wire type {type}");
        var length = ReadVarint();
        if (length > (ulong)reader.Remaining)
            throw new FormatException($"a field of {length} bytes in {reader.Remaining}");
        var slice = reader.UnreadSequence.Slice(0, (long)length);
        reader.Advance((long)length);
        return slice;
    }

    /// <summary>Whether the field's bytes are the last of a message, of which only the start may be here.</summary>
    /// <param name="messageBytes">Of the whole message.</param>
    /// <param name="before">Bytes of the message that stand before the field's.</param>
    public bool IsTail(long messageBytes, out int before)
    {
        if (type != Bytes)
            throw new FormatException($"a field of bytes has wire type {type}");
        var length = ReadVarint();
        before = (int)reader.Consumed;
        return length == (ulong)(messageBytes - before);
    }

    /// <summary>Passes over a field of a later version.</summary>
    public void Skip()
    {
        switch (type)
        {
            case Varint:
                ReadVarint();
                break;
            case Bytes:
                Slice();
                break;
            case Fixed64 or Fixed32:
                var width = type == Fixed64 ? sizeof(ulong) : sizeof(uint);
                if (reader.Remaining < width)
                    throw new FormatException("the message ends within a field");
                reader.Advance(width);
                break;
            default:
                throw new FormatException($"a field has wire type {type}");
        }
    }

    private ulong ReadVarint()
    {
        var value = 0UL;
        for (var shift = 0; shift < 70; shift += 7)
        {
            if (!reader.TryRead(out var next))
                throw new FormatException("the message ends within a number");
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
                return value;
        }

        throw new FormatException("a number has more than ten bytes");
    }
}
