namespace AdderNet.Core.Kernels;

/// <summary>Work over independent items, as an unmanaged struct of pointers and sizes: running it allocates nothing.</summary>
internal interface ISplitJob
{
    /// <summary>Does items [<paramref name="first"/>, <paramref name="end"/>).</summary>
    void Run(int first, int end);
}
