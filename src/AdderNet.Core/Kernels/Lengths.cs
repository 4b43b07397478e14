namespace AdderNet.Core.Kernels;

/// <summary>Guards of the kernels' spans: a wrong length is a defect of the caller, found before any pointer moves.</summary>
internal static class Lengths
{
    public static void MustAgree(int first, int second, int third)
    {
        if (first != second || second != third)
            throw new ArgumentException($"Spans must have equal lengths, not {first}, {second} and {third}.");
    }

    public static void MustBe(int expected, int actual, string name)
    {
        if (expected != actual)
            throw new ArgumentException($"'{name}' must hold {expected} elements, not {actual}.", name);
    }

    /// <summary>The number of rows of <paramref name="channels"/> elements.</summary>
    public static int Rows(int length, int channels)
    {
        if (channels < 1 || length % channels != 0)
            throw new ArgumentException($"{length} elements are not rows of {channels} channels.");
        return length / channels;
    }
}
