using System.Formats.Tar;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace AdderNet.Core.Data.Indexes;

/// <summary>The members of a shard that make one sample: those whose paths are equal up to the first point of the file name.</summary>
/// <param name="key">The common part.</param>
/// <param name="shard">Path of the shard, for messages.</param>
internal sealed class TarSample(string key, string shard)
{
    /// <summary>One less than the most classes that a model can have.</summary>
    public const int LargestLabel = 99_999;

    private const int LongestLabelFile = 1 << 20;
    private string? pictureExtension;
    private long offset;
    private long bytes;
    private int? classLabel;
    private int? jsonLabel;

    public string Key => key;

    /// <summary>Nothing of use was met: neither picture nor label.</summary>
    public bool IsEmpty => pictureExtension is null && classLabel is null && jsonLabel is null;

    /// <summary>Splits a member's path.</summary>
    /// <exception cref="DataException">It is not UTF-8.</exception>
    public static (string Key, string Extension) Split(string path, string shard)
    {
        if (path.Contains('\uFFFD', StringComparison.Ordinal))
            throw new DataException($"{shard}: the member name {path} is not UTF-8");
        var name = path.StartsWith("./", StringComparison.Ordinal) ? path[2..] : path;
        var point = name.IndexOf('.', name.LastIndexOf('/') + 1);
        return point < 0 ? (name, "") : (name[..point], name[(point + 1)..]);
    }

    /// <summary>Takes a member; those of other extensions are no concern of ours.</summary>
    /// <exception cref="DataException">It is a second picture, or a label that cannot be read.</exception>
    public void Take(TarEntry entry, string extension)
    {
        switch (extension.ToLowerInvariant())
        {
            case "jpg" or "jpeg" or "png":
                if (pictureExtension is not null)
                    throw Wrong($"has two pictures, .{pictureExtension} and .{extension}");
                if (entry.Length > PictureFiles.LargestPicture)
                    throw Wrong($"has {entry.Length} bytes; a picture has at most {PictureFiles.LargestPicture}");
                (pictureExtension, offset, bytes) = (extension, entry.DataOffset, entry.Length);
                break;
            case "cls":
                classLabel = ParseLabel(Encoding.UTF8.GetString(Read(entry)), ".cls");
                break;
            case "json":
                jsonLabel = ReadJson(entry) ?? jsonLabel;
                break;
        }
    }

    /// <summary>The whole sample.</summary>
    /// <exception cref="DataException">Its picture or its label is missing.</exception>
    public (int Label, string Extension, long Offset, long Bytes) Complete() =>
        pictureExtension is null ? throw Wrong("has a label but no picture: .jpg, .jpeg or .png")
        : (classLabel ?? jsonLabel) is not { } label ? throw Wrong("has no label: neither .cls nor \"label\" in .json")
        : (label, pictureExtension, offset, bytes);

    /// <summary>A fault of this sample.</summary>
    public DataException Wrong(string problem) => new($"{shard}: sample {key} {problem}");

    private byte[] Read(TarEntry entry)
    {
        if (entry.Length > LongestLabelFile)
            throw Wrong($"has a label file of {entry.Length} bytes");
        var content = new byte[entry.Length];
        entry.DataStream?.ReadExactly(content);
        return content;
    }

    private int? ReadJson(TarEntry entry)
    {
        try
        {
            using var document = JsonDocument.Parse(Read(entry));
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("label", out var label)
                ? ParseLabel(label.GetRawText(), ".json")
                : null;
        }
        catch (JsonException)
        {
            throw Wrong("has a .json file that is no JSON");
        }
    }

    private int ParseLabel(string text, string file) =>
        int.TryParse(text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var label) && label is >= 0 and <= LargestLabel
            ? label
            : throw Wrong($"has label '{(text.Length <= 40 ? text.Trim() : text[..40] + "...")}' in {file}; labels are whole numbers from 0 to {LargestLabel}");
}
