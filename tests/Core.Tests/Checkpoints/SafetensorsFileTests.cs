using System.Buffers.Binary;
using System.Text;
using AdderNet.Core.Checkpoints;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace AdderNet.Core.Tests.Checkpoints;

public sealed class SafetensorsFileTests
{
    [Fact]
    public void A_written_file_has_exactly_the_bytes_of_the_format()
    {
        using var stream = new MemoryStream();
        SafetensorsFile.Write(
            stream,
            [NamedTensor.Int64("b", [], new long[] { -2 }), NamedTensor.Float32("a", [2, 1], new[] { 1f, -0.5f })],
            new Dictionary<string, string> { ["z"] = "1", ["k"] = "v" });

        // Laid out by hand after the format's description.
        var json = """{"__metadata__":{"k":"v","z":"1"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"b":{"dtype":"I64","shape":[],"data_offsets":[8,16]}}""";
        json = json.PadRight((json.Length + 7) / 8 * 8);
        var expected = File(json, [0, 0, 0x80, 0x3f, 0, 0, 0, 0xbf, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(stream.ToArray()));
    }

    [Fact]
    public void Whatever_is_written_is_read_back_bit_for_bit()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<(float[], long[], byte[], double[])[]>(), sets =>
        {
            using var stream = new MemoryStream();
            SafetensorsFile.Write(
                stream,
                sets.SelectMany((set, i) => new[]
                {
                    NamedTensor.Float32($"f{i}", [set.Item1.Length], set.Item1), NamedTensor.Int64($"\"\n{i}", [1, set.Item2.Length], set.Item2),
                    NamedTensor.UInt8($"u{i}", [set.Item3.Length, 1], set.Item3), NamedTensor.Float64($"d{i}", [set.Item4.Length], set.Item4),
                }),
                new Dictionary<string, string> { ["count"] = $"{sets.Length}" });
            using var file = SafetensorsFile.Open(new MemoryStream(stream.ToArray()), "memory");
            Assert.Equal($"{sets.Length}", file.Metadata["count"]);
            Assert.Equal(4 * sets.Length, file.Tensors.Count);
            for (var i = 0; i < sets.Length; i++)
            {
                Assert.Equal(sets[i].Item1.Select(BitConverter.SingleToInt32Bits), file.ReadFloat32($"f{i}").Select(BitConverter.SingleToInt32Bits));
                Assert.Equal(sets[i].Item2, file.ReadInt64($"\"\n{i}"));
                Assert.Equal([1, sets[i].Item2.Length], file.Tensors[$"\"\n{i}"].Shape);
                Assert.Equal(sets[i].Item3, file.ReadUInt8($"u{i}"));
                Assert.Equal(sets[i].Item4.Select(BitConverter.DoubleToInt64Bits), file.ReadFloat64($"d{i}").Select(BitConverter.DoubleToInt64Bits));
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void The_order_in_which_tensors_are_given_changes_no_byte()
    {
        NamedTensor a = NamedTensor.Float32("a", [1], new[] { 1f }), upper = NamedTensor.Float32("B", [1], new[] { 2f });
        using MemoryStream one = new(), two = new();
        SafetensorsFile.Write(one, [a, upper], new Dictionary<string, string>());
        SafetensorsFile.Write(two, [upper, a], new Dictionary<string, string>());
        Assert.Equal(one.ToArray(), two.ToArray());
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}""", 6, "begins at byte 2")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[5,9]}}""", 9, "begins at byte 5")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "begins at byte 4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 7, "cut short")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 9, "1 bytes follow the last tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "takes 12 bytes by its shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "not a begin and an end")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", 8, "not a begin and an end")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "not a whole number")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", 8, "not a whole number")]
    [InlineData("""{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}}""", 8, "not a whole number")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2147483647,2147483647,2147483647],"data_offsets":[0,8]}}""", 8, "too large")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0,4611686018427387904],"data_offsets":[0,0]}}""", 0, "too large")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}""", 4, "more than 16")]
    [InlineData("""{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}""", 4, "unknown dtype 'F31'")]
    [InlineData("""{"a":{"dtype":"9","shape":[1],"data_offsets":[0,4]}}""", 4, "unknown dtype '9'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "stands twice")]
    [InlineData("""{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "dtype twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1]}}""", 4, "lacks dtype, shape or data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"extra":1}}""", 4, "unknown field 'extra'")]
    [InlineData("""{"a":{"dtype":1,"shape":[1],"data_offsets":[0,4]}}""", 4, "not a string")]
    [InlineData("""{"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}""", 4, "not an array")]
    [InlineData("""{"a":4}""", 0, "not an object")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "not a string")]
    [InlineData("""{"__metadata__":{"a":"1","a":"2"}}""", 0, "stands twice")]
    [InlineData("""{"__metadata__":{},"__metadata__":{}}""", 0, "stands twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}""", 4, "not valid JSON")]
    [InlineData("""{} {}""", 0, "not valid JSON")]
    [InlineData("""{"a":{"dtype":"F32","shape":[[[[[[1]]]]]],"data_offsets":[0,4]}}""", 4, "not a whole number")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "not valid JSON")]
    [InlineData("""[]""", 0, "does not begin with '{'")]
    [InlineData("", 0, "does not begin with '{'")]
    public void A_hostile_header_is_refused_with_one_line(string json, int dataLength, string reason) =>
        Refused(File(json, new byte[dataLength]), reason);

    [Fact]
    public void A_header_that_is_not_UTF_8_is_refused()
    {
        var bytes = File("""{"?":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", new byte[4]);
        bytes[10] = 0xff;
        Refused(bytes, "not UTF-8");
    }

    [Theory]
    [InlineData(new byte[] { }, "too few")]
    [InlineData(new byte[] { 1, 2, 3, 4, 5, 6, 7 }, "too few")]
    [InlineData(new byte[] { 255, 255, 255, 255, 255, 255, 255, 255, 0 }, "claims a header of 18446744073709551615 bytes")]
    [InlineData(new byte[] { 1, 225, 245, 5, 0, 0, 0, 0, 0 }, "at most 100000000")]
    [InlineData(new byte[] { 100, 0, 0, 0, 0, 0, 0, 0, (byte)'{' }, "cut short")]
    public void A_header_length_that_cannot_be_is_refused(byte[] bytes, string reason) => Refused(bytes, reason);

    [Fact]
    public void Any_bytes_are_read_or_refused_but_never_crash()
    {
        var sound = File("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", new byte[4]);
        Prop.ForAll(ArbMap.Default.ArbFor<(byte, byte)[]>(), changes =>
        {
            var bytes = (byte[])sound.Clone();
            foreach (var (place, value) in changes)
                bytes[place % bytes.Length] = value;
            try
            {
                using var file = SafetensorsFile.Open(new MemoryStream(bytes), "memory");
                foreach (var name in file.Tensors.Keys.Where(name => file.Tensors[name].Type == TensorType.F32))
                    file.ReadFloat32(name);
            }
            catch (TensorFileException e)
            {
                Assert.DoesNotContain('\n', e.Message);
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        var error = Assert.Throws<TensorFileException>(() => SafetensorsFile.Open("no/such.safetensors"));
        Assert.Equal("no/such.safetensors: no such file", error.Message);
    }

    [Fact]
    public void A_tensor_of_another_name_or_type_is_refused()
    {
        using var file = SafetensorsFile.Open(new MemoryStream(File("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", new byte[4])), "memory");
        Assert.Equal("memory: has no tensor 'b'", Assert.Throws<TensorFileException>(() => file.ReadFloat32("b")).Message);
        Assert.Equal("memory: tensor 'a' is F32 [1], not I64", Assert.Throws<TensorFileException>(() => file.ReadInt64("a")).Message);
    }

    private static byte[] File(string json, byte[] data)
    {
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, Encoding.UTF8.GetByteCount(json));
        return [.. length, .. Encoding.UTF8.GetBytes(json), .. data];
    }

    private static void Refused(byte[] bytes, string reason)
    {
        var error = Assert.Throws<TensorFileException>(() => SafetensorsFile.Open(new MemoryStream(bytes), "memory"));
        Assert.StartsWith("memory: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
