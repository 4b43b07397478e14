namespace AdderNet.Simulation.Model;

/// <summary>A 64-bit hash of numbers in order (SplitMix64's finalizer, chained): what stands for arithmetic in the simulation.</summary>
internal static class Mixing
{
    public static ulong Of(ulong a, ulong b)
    {
        var mixed = (a + 0x9E3779B97F4A7C15UL) ^ (b * 0xD6E8FEB86659FD93UL);
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9UL;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBUL;
        return mixed ^ (mixed >> 31);
    }

    public static ulong Of(ulong a, ulong b, ulong c) => Of(Of(a, b), c);

    public static ulong Of(ReadOnlySpan<ulong> values)
    {
        var mixed = (ulong)values.Length;
        foreach (var value in values)
            mixed = Of(mixed, value);
        return mixed;
    }
}
