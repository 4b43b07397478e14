using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using Xunit;

namespace AdderNet.Core.Tests.Golden;

/// <summary>A checked-in data file of tests/Golden. Its reader is not the product's, so that one cannot hide the other's errors.</summary>
internal sealed class GoldenFile
{
    private readonly byte[] data;
    private readonly int start;
    private readonly Dictionary<string, JsonElement> entries;

    private GoldenFile(byte[] data)
    {
        this.data = data;
        start = 8 + checked((int)BinaryPrimitives.ReadUInt64LittleEndian(data));
        entries = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(data.AsSpan(8, start - 8))!;
        entries.Remove("__metadata__");
    }

    /// <summary>Names of all tensors.</summary>
    public IEnumerable<string> Names => entries.Keys;

    /// <summary>Opens tests/Golden/<paramref name="name"/>.safetensors.</summary>
    public static GoldenFile Open(string name) => new(File.ReadAllBytes(PathOf(name)));

    /// <summary>Reads a safetensors file that lies elsewhere.</summary>
    public static GoldenFile Read(string path) => new(File.ReadAllBytes(path));

    /// <summary>Where tests/Golden/<paramref name="name"/>.safetensors lies.</summary>
    public static string PathOf(string name)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var path = Path.Combine(folder.FullName, "tests", "Golden", $"{name}.safetensors");
            if (File.Exists(path))
                return path;
        }

        throw new FileNotFoundException($"tests/Golden/{name}.safetensors is in no folder above {AppContext.BaseDirectory}");
    }

    public int[] Shape(string name) => [.. entries[name].GetProperty("shape").EnumerateArray().Select(e => e.GetInt32())];

    public float[] Floats(string name) => Values<float>(name, "F32");

    public byte[] Bytes(string name) => Values<byte>(name, "U8");

    public double[] Doubles(string name) => Values<double>(name, "F64");

    public int[] Integers(string name) => [.. Values<long>(name, "I64").Select(v => checked((int)v))];

    private T[] Values<T>(string name, string type)
        where T : struct
    {
        var entry = entries[name];
        Assert.Equal(type, entry.GetProperty("dtype").GetString());
        var offsets = entry.GetProperty("data_offsets");
        return MemoryMarshal.Cast<byte, T>(data.AsSpan((start + offsets[0].GetInt32())..(start + offsets[1].GetInt32()))).ToArray();
    }
}
