using System.Buffers.Binary;
using System.Text;

namespace AdderNet.Core.Data.Indexes;

/// <summary>Collects the samples of a data set, in any order, and writes its index.</summary>
/// <param name="source">The data directory, for messages.</param>
/// <param name="isTar">Whether samples lie in tar shards.</param>
internal sealed class SampleIndexBuilder(string source, bool isTar)
{
    private const int LongestName = ushort.MaxValue;
    private readonly List<string> classes = [];
    private readonly List<IndexContainer> containers = [];
    private readonly List<Sample> samples = [];
    private byte[] text = new byte[1 << 16];
    private int textLength;

    private readonly record struct Sample(int NameBegin, int NameLength, int Label, long Bytes, int Container, long Offset);

    /// <summary>Samples so far.</summary>
    public int Count => samples.Count;

    /// <summary>Adds the next class.</summary>
    public void AddClass(string name) => classes.Add(name);

    /// <summary>Adds a folder or shard.</summary>
    /// <returns>Its number.</returns>
    public int AddContainer(IndexContainer container)
    {
        containers.Add(container);
        return containers.Count - 1;
    }

    /// <summary>Adds a sample.</summary>
    /// <param name="name">Path below the data directory, beginning with <c>train/</c> or <c>val/</c>.</param>
    /// <param name="label">Its class.</param>
    /// <param name="bytes">Length of the encoded picture.</param>
    /// <param name="container">Of a tar index: the shard.</param>
    /// <param name="offset">Of a tar index: where the picture begins in the shard.</param>
    /// <exception cref="DataException">The name cannot be kept.</exception>
    public void Add(string name, int label, long bytes, int container = 0, long offset = 0)
    {
        if (name.Any(char.IsControl))
            throw new DataException($"{source}: the name of {Printable(name)} has control characters, which an index cannot hold");
        var length = Encoding.UTF8.GetByteCount(name);
        if (length > LongestName || textLength > Array.MaxLength - length)
            throw new DataException($"{source}: the names are too long for an index, at {name[..80]}...");
        if (text.Length < textLength + length)
            Array.Resize(ref text, (int)Math.Min(Array.MaxLength, Math.Max(2L * text.Length, textLength + length)));
        Encoding.UTF8.GetBytes(name, text.AsSpan(textLength));
        samples.Add(new Sample(textLength, length, label, bytes, container, offset));
        textLength += length;
    }

    /// <summary>The index. Pictures of no bytes are marked: they surely do not decode.</summary>
    /// <exception cref="DataException">Two samples have one name, or the index would be too large.</exception>
    public SampleIndex Build()
    {
        samples.Sort((a, b) => NameOf(a).SequenceCompareTo(NameOf(b)));
        for (var i = 1; i < samples.Count; i++)
        {
            if (NameOf(samples[i - 1]).SequenceEqual(NameOf(samples[i])))
                throw new DataException($"{source}: two samples are called {Encoding.UTF8.GetString(NameOf(samples[i]))}");
        }

        var classText = classes.Sum(name => (long)Encoding.UTF8.GetByteCount(name));
        var containerText = containers.Sum(container => (long)Encoding.UTF8.GetByteCount(container.Name));
        try
        {
            var layout = new SampleIndexLayout(
                isTar ? SampleIndexLayout.TarFormat : SampleIndexLayout.FolderFormat,
                (uint)classes.Count, (uint)containers.Count, (uint)samples.Count, checked((ulong)(classText + containerText + textLength)));
            var file = new byte[layout.Length];
            WriteHeader(file, layout);
            WriteTables(file, layout);
            SampleIndex.Seal(file, layout);
            return SampleIndex.Parse(file, source);
        }
        catch (OverflowException)
        {
            throw new DataException($"{source}: the index of {samples.Count} samples would be larger than 2 GB");
        }
    }

    private static string Printable(string name) => string.Concat(name.Select(c => char.IsControl(c) ? '?' : c));

    private ReadOnlySpan<byte> NameOf(Sample sample) => text.AsSpan(sample.NameBegin, sample.NameLength);

    private void WriteHeader(Span<byte> file, SampleIndexLayout layout)
    {
        SampleIndexLayout.Magic.CopyTo(file);
        Write(file, 16, SampleIndexLayout.Version);
        Write(file, 20, layout.Format);
        Write(file, 28, (uint)layout.Classes);
        Write(file, 32, (uint)layout.Containers);
        Write(file, 36, (uint)layout.Samples);
        Write(file, 40, (uint)samples.Count(sample => NameOf(sample).StartsWith("train/"u8)));
        Write(file, 48, (long)(layout.Checksum - layout.Text));
        Write(file, 56, (long)layout.Length);
    }

    private void WriteTables(Span<byte> file, SampleIndexLayout layout)
    {
        var at = layout.Text;
        for (var i = 0; i < classes.Count; i++)
        {
            var length = Encoding.UTF8.GetBytes(classes[i], file[at..]);
            BinaryPrimitives.WriteUInt16LittleEndian(file[(layout.ClassLengths + (sizeof(ushort) * i))..], checked((ushort)length));
            at += length;
        }

        for (var i = 0; i < containers.Count; i++)
        {
            var entry = layout.ContainerTable + (SampleIndexLayout.ContainerBytes * i);
            var length = Encoding.UTF8.GetBytes(containers[i].Name, file[at..]);
            BinaryPrimitives.WriteUInt16LittleEndian(file[entry..], checked((ushort)length));
            Write(file, entry + sizeof(ushort), containers[i].Time);
            Write(file, entry + sizeof(ushort) + sizeof(long), containers[i].Bytes);
            at += length;
        }

        var begin = at;
        for (var i = 0; i < samples.Count; i++)
        {
            var sample = samples[i];
            NameOf(sample).CopyTo(file[at..]);
            at += sample.NameLength;
            Write(file, layout.NameEnds + (sizeof(uint) * i), (uint)(at - begin));
            Write(file, layout.Labels + (sizeof(uint) * i), (uint)sample.Label);
            Write(file, layout.Sizes + (sizeof(long) * i), sample.Bytes);
            file[layout.States + i] = sample.Bytes == 0 ? (byte)1 : (byte)0;
            if (!isTar)
                continue;
            Write(file, layout.SampleContainers + (sizeof(uint) * i), (uint)sample.Container);
            Write(file, layout.Offsets + (sizeof(long) * i), sample.Offset);
        }
    }

    private static void Write(Span<byte> file, int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(file[at..], value);

    private static void Write(Span<byte> file, int at, long value) => BinaryPrimitives.WriteInt64LittleEndian(file[at..], value);
}
