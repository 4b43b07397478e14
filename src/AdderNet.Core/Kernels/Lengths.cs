namespace AdderNet.Core.Kernels;

/// <summary>Guards of the kernels' spans: a wrong length is a defect of the caller, found before any pointer moves.</summary>
internal static class Lengths
{
    public static void MustBe(int expected, int actual, string name)
    {
        if (expected != actual)
            throw new ArgumentException($"'{name}' must hold {expected} elements, not {actual}.", name);
    }
}
