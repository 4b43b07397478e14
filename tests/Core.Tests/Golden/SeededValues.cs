using System.Text;

namespace AdderNet.Core.Tests.Golden;

/// <summary>The other side of tests/Golden/seeded_values.py: weights and images too large to check in.</summary>
internal static class SeededValues
{
    /// <summary>Exact float32 values close to a standard normal.</summary>
    public static float[] Normal(string name, int count)
    {
        var key = 0xCBF29CE484222325UL;
        foreach (var b in Encoding.UTF8.GetBytes(name))
            key = (key ^ b) * 0x100000001B3UL;
        var values = new float[count];
        for (var i = 0; i < count; i++)
        {
            var h = key + (ulong)(i + 1) * 0x9E3779B97F4A7C15UL;
            h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9UL;
            h = (h ^ (h >> 27)) * 0x94D049BB133111EBUL;
            h ^= h >> 31;
            var sum = (long)(ushort)h + (ushort)(h >> 16) + (ushort)(h >> 32) + (ushort)(h >> 48);
            values[i] = (float)((sum - 2 * 65535) * 7 / 262144.0);
        }

        return values;
    }

    /// <summary>The initial value of a parameter of a network without bottlenecks.</summary>
    public static float[] Parameter(string prefix, string name, IReadOnlyList<int> shape)
    {
        var values = Normal(prefix + name, shape.Aggregate(1, (a, b) => a * b));
        if (name.EndsWith(".adder", StringComparison.Ordinal))
            return values;
        if (shape.Count > 1)
            return [.. values.Select(v => v * 0.25f)];
        return name.EndsWith(".weight", StringComparison.Ordinal)
            ? [.. values.Select(v => 1 + v * 0.125f)]
            : [.. values.Select(v => v * 0.125f)];
    }

    /// <summary>Images [steps*batch, channels, height, width]: a tint, a pattern of 8x8-pixel squares and noise.</summary>
    public static float[] Images(string prefix, int samples, int channels, int height, int width)
    {
        int rows = (height + 7) / 8, columns = (width + 7) / 8;
        var coarse = Normal(prefix + "squares", samples * channels * rows * columns);
        var tint = Normal(prefix + "tint", samples * channels);
        var values = Normal(prefix + "noise", samples * channels * height * width);
        for (var i = 0; i < values.Length; i++)
        {
            int column = i % width, row = i / width % height, plane = i / width / height;
            values[i] = tint[plane] + coarse[(plane * rows + row / 8) * columns + column / 8] + 0.5f * values[i];
        }

        return values;
    }

    public static long[] Labels(string prefix, int samples, int classes) =>
        [.. Normal(prefix + "labels", samples).Select(v => (long)Math.Floor(((double)v + 4) * 262144) % classes)];
}
