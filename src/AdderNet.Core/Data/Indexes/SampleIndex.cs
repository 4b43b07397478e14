using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;

namespace AdderNet.Core.Data.Indexes;

/// <summary>What a data set's files look like when it is indexed: a folder that was listed, or a tar shard that was read.</summary>
/// <param name="Name">Path below the data directory, with '/'.</param>
/// <param name="Time">When it last changed, UTC ticks of 100 ns; 0 when it was not there.</param>
/// <param name="Bytes">Length of a shard; 0 for a folder.</param>
internal readonly record struct IndexContainer(string Name, long Time, long Bytes);

/// <summary>
/// The samples of a data set of single pictures, in the order of their names' UTF-8 bytes, training samples first: where
/// each lies, how long it is and what its label is. A view of the index file's bytes, about 60 a sample; immutable.
/// </summary>
internal sealed class SampleIndex
{
    private const byte Undecodable = 1;
    private readonly byte[] file;
    private readonly SampleIndexLayout layout;
    private readonly int sampleText;

    private SampleIndex(byte[] file, SampleIndexLayout layout, string path)
    {
        (this.file, this.layout) = (file, layout);
        TrainCount = (int)ReadUInt32(40);
        (ClassNames, Containers, sampleText) = ReadNames(path);
        CheckSamples(path);
    }

    public bool IsTar => layout.Format == SampleIndexLayout.TarFormat;

    /// <summary>Every sample has been decoded once; those that could not be are marked.</summary>
    public bool Verified => (ReadUInt32(24) & SampleIndexLayout.VerifiedFlag) != 0;

    /// <summary>Label l is class l.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>The listed folders, or the shards.</summary>
    public IReadOnlyList<IndexContainer> Containers { get; }

    public int Count => layout.Samples;

    /// <summary>Samples 0 to this - 1 are for training, the others for validation.</summary>
    public int TrainCount { get; }

    /// <summary>The index file's bytes.</summary>
    public ReadOnlyMemory<byte> File => file;

    /// <summary>Samples that are known not to decode.</summary>
    public int UndecodableCount => file.AsSpan(layout.States, layout.Samples).Count(Undecodable);

    /// <summary>Reads and checks an index.</summary>
    /// <param name="file">The whole file; kept.</param>
    /// <param name="path">Names it in messages.</param>
    /// <exception cref="DataException">It is damaged or of another version.</exception>
    public static SampleIndex Parse(byte[] file, string path)
    {
        var layout = SampleIndexLayout.Read(file, path);
        if (!SHA256.HashData(file.AsSpan(0, layout.Checksum)).AsSpan().SequenceEqual(file.AsSpan(layout.Checksum)))
            throw SampleIndexLayout.Damaged(path, "is damaged: its content does not match its checksum");
        return new SampleIndex(file, layout, path);
    }

    /// <summary>UTF-8 path below the data directory: <c>train/CLASS/FILE</c>, or for shards <c>train/KEY.EXTENSION</c>.</summary>
    public ReadOnlySpan<byte> NameBytes(int sample)
    {
        var begin = sample == 0 ? 0 : NameEnd(sample - 1);
        return file.AsSpan(sampleText + begin, NameEnd(sample) - begin);
    }

    /// <inheritdoc cref="NameBytes"/>
    public string Name(int sample) => Encoding.UTF8.GetString(NameBytes(sample));

    public int Label(int sample) => (int)ReadUInt32(layout.Labels + (sizeof(uint) * sample));

    /// <summary>Length of the encoded picture.</summary>
    public long Bytes(int sample) => ReadInt64(layout.Sizes + (sizeof(long) * sample));

    public bool IsUndecodable(int sample) => file[layout.States + sample] == Undecodable;

    /// <summary>Of a tar index: the shard, and where the picture begins in it.</summary>
    public (int Shard, long Offset) Place(int sample) =>
        ((int)ReadUInt32(layout.SampleContainers + (sizeof(uint) * sample)), ReadInt64(layout.Offsets + (sizeof(long) * sample)));

    /// <summary>The same index with the outcome of a verification.</summary>
    /// <param name="undecodable">Samples that do not decode.</param>
    public SampleIndex WithVerification(IEnumerable<int> undecodable)
    {
        var bytes = (byte[])file.Clone();
        bytes.AsSpan(layout.States, layout.Samples).Clear();
        foreach (var sample in undecodable)
            bytes[layout.States + sample] = Undecodable;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(24), ReadUInt32(24) | SampleIndexLayout.VerifiedFlag);
        Seal(bytes, layout);
        return new SampleIndex(bytes, layout, "index");
    }

    /// <summary>Writes the checksum.</summary>
    public static void Seal(Span<byte> file, SampleIndexLayout layout) => SHA256.HashData(file[..layout.Checksum], file[layout.Checksum..]);

    private int NameEnd(int sample) => (int)ReadUInt32(layout.NameEnds + (sizeof(uint) * sample));

    private uint ReadUInt32(int at) => BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at));

    private long ReadInt64(int at) => BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(at));

    private (List<string> Classes, List<IndexContainer> Containers, int SampleText) ReadNames(string path)
    {
        if (!Utf8.IsValid(file.AsSpan(layout.Text, layout.Checksum - layout.Text)))
            throw SampleIndexLayout.Damaged(path, "is damaged: a name is not UTF-8");
        var at = layout.Text;
        var classes = new List<string>(layout.Classes);
        for (var i = 0; i < layout.Classes; i++)
            classes.Add(Take(BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(layout.ClassLengths + (sizeof(ushort) * i)))));
        var containers = new List<IndexContainer>(layout.Containers);
        for (var i = 0; i < layout.Containers; i++)
        {
            var entry = layout.ContainerTable + (SampleIndexLayout.ContainerBytes * i);
            var name = Take(BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(entry)));
            containers.Add(new IndexContainer(name, ReadInt64(entry + sizeof(ushort)), ReadInt64(entry + sizeof(ushort) + sizeof(long))));
        }

        return (classes, containers, at);

        string Take(int length)
        {
            if (length > layout.Checksum - at)
                throw SampleIndexLayout.Damaged(path, "is damaged: a name leaves the file");
            at += length;
            return Encoding.UTF8.GetString(file, at - length, length);
        }
    }

    private void CheckSamples(string path)
    {
        var text = layout.Checksum - sampleText;
        var end = 0;
        ReadOnlySpan<byte> previous = [];
        for (var i = 0; i < Count; i++)
        {
            var next = ReadUInt32(layout.NameEnds + (sizeof(uint) * i));
            if (next > text || next <= end)
                throw Wrong(i, "a name without end");
            var name = file.AsSpan(sampleText + end, (int)next - end);
            // Order also means that no name comes twice; a name cannot begin amid a character of the one before it.
            if (previous.SequenceCompareTo(name) >= 0 || (name[0] & 0xC0) == 0x80)
                throw Wrong(i, "a name out of order");
            if (name.StartsWith("train/"u8) != (i < TrainCount))
                throw Wrong(i, "a name of the other set");
            if ((uint)Label(i) >= (uint)layout.Classes)
                throw Wrong(i, $"label {(uint)Label(i)} of {layout.Classes} classes");
            if (Bytes(i) < 0 || file[layout.States + i] > Undecodable)
                throw Wrong(i, "a size or state out of range");
            if (IsTar)
                CheckPlace(i);
            previous = name;
            end = (int)next;
        }

        if (end != text || TrainCount > Count)
            throw SampleIndexLayout.Damaged(path, "is damaged: names are left over");

        void CheckPlace(int sample)
        {
            var (shard, offset) = Place(sample);
            if ((uint)shard >= (uint)Containers.Count || offset < 0 || Containers[shard].Bytes < 0 || offset > Containers[shard].Bytes - Bytes(sample))
                throw Wrong(sample, "a place beyond its shard");
        }

        DataException Wrong(int sample, string what) => SampleIndexLayout.Damaged(path, $"is damaged: sample {sample} has {what}");
    }
}
