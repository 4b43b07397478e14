using System.Buffers.Binary;

namespace AdderNet.Core.Data.Indexes;

/// <summary>
/// Where everything lies in an index file (docs/file-formats.md, "Sample index"). All integers are little-endian. The
/// constructor checks the header's figures against one another and against the file's length, so that no later access
/// leaves the file.
/// </summary>
internal sealed class SampleIndexLayout
{
    public const int HeaderBytes = 64;
    public const int ChecksumBytes = 32;
    public const uint Version = 1;
    public const uint FolderFormat = 1;
    public const uint TarFormat = 2;
    public const uint VerifiedFlag = 1;

    /// <summary>Bytes of one container: length of its name, time, size.</summary>
    public const int ContainerBytes = sizeof(ushort) + sizeof(long) + sizeof(long);

    /// <param name="format"><see cref="FolderFormat"/> or <see cref="TarFormat"/>.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="containers">Number of folders or tar shards.</param>
    /// <param name="samples">Number of samples.</param>
    /// <param name="text">Bytes of all names.</param>
    /// <exception cref="OverflowException">Such an index would not fit into 2 GB.</exception>
    public SampleIndexLayout(uint format, uint classes, uint containers, uint samples, ulong text)
    {
        checked
        {
            (Format, Classes, Containers, Samples) = (format, (int)classes, (int)containers, (int)samples);
            var end = (ulong)HeaderBytes;
            ClassLengths = Take(ref end, sizeof(ushort) * (ulong)classes);
            ContainerTable = Take(ref end, ContainerBytes * (ulong)containers);
            NameEnds = Take(ref end, sizeof(uint) * (ulong)samples);
            Labels = Take(ref end, sizeof(uint) * (ulong)samples);
            Sizes = Take(ref end, sizeof(ulong) * (ulong)samples);
            States = Take(ref end, samples);
            SampleContainers = Take(ref end, format == TarFormat ? sizeof(uint) * (ulong)samples : 0);
            Offsets = Take(ref end, format == TarFormat ? sizeof(ulong) * (ulong)samples : 0);
            Text = Take(ref end, text);
            Checksum = Take(ref end, ChecksumBytes);
            Length = (int)end;
        }
    }

    public static ReadOnlySpan<byte> Magic => "addernet-index\r\n"u8;

    public uint Format { get; }

    public int Classes { get; }

    public int Containers { get; }

    public int Samples { get; }

    public int ClassLengths { get; }

    public int ContainerTable { get; }

    /// <summary>Where each sample's name ends, counted from the first name's beginning.</summary>
    public int NameEnds { get; }

    public int Labels { get; }

    public int Sizes { get; }

    public int States { get; }

    /// <summary>Of tar indexes.</summary>
    public int SampleContainers { get; }

    /// <summary>Of tar indexes: where the picture begins in its shard.</summary>
    public int Offsets { get; }

    /// <summary>Names of classes, of containers, of samples, one after another.</summary>
    public int Text { get; }

    public int Checksum { get; }

    /// <summary>Length of the whole file.</summary>
    public int Length { get; }

    /// <summary>Reads a header.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="path">Names it in messages.</param>
    /// <exception cref="DataException">It is no index, of another version, or its figures do not fit together.</exception>
    public static SampleIndexLayout Read(ReadOnlySpan<byte> file, string path)
    {
        if (file.Length < HeaderBytes + ChecksumBytes || !file.StartsWith(Magic))
            throw Damaged(path, $"is no sample index: {(file.StartsWith(Magic) ? $"it ends after {file.Length} bytes" : "it begins otherwise")}");
        var version = Number(file, 16);
        if (version != Version)
            throw Damaged(path, $"is a sample index of version {version}; this program reads version {Version}");
        var format = Number(file, 20);
        if (format is not (FolderFormat or TarFormat))
            throw Damaged(path, $"is damaged: format {format} is neither {FolderFormat} (folder) nor {TarFormat} (tar)");
        var length = BinaryPrimitives.ReadUInt64LittleEndian(file[56..]);
        if (length != (ulong)file.Length)
            throw Damaged(path, $"is damaged: it should have {length} bytes and has {file.Length}");
        try
        {
            var layout = new SampleIndexLayout(format, Number(file, 28), Number(file, 32), Number(file, 36), BinaryPrimitives.ReadUInt64LittleEndian(file[48..]));
            if (layout.Length != file.Length)
                throw Damaged(path, $"is damaged: its tables take {layout.Length} bytes of {file.Length}");
            return layout;
        }
        catch (OverflowException)
        {
            throw Damaged(path, "is damaged: its tables would be longer than the file");
        }
    }

    /// <summary>The fault of an index file.</summary>
    public static DataException Damaged(string path, string problem) => new($"{path}: {problem}");

    private static uint Number(ReadOnlySpan<byte> file, int at) => BinaryPrimitives.ReadUInt32LittleEndian(file[at..]);

    private static int Take(ref ulong end, ulong bytes)
    {
        var begin = checked((int)end);
        end = checked(end + bytes);
        return begin;
    }
}
