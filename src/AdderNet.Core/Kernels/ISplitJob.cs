namespace AdderNet.Core.Kernels;

/// <summary>Work over independent items, as a struct of what it reads and writes: running it allocates nothing.</summary>
internal interface ISplitJob
{
    /// <summary>Does items [<paramref name="first"/>, <paramref name="end"/>).</summary>
    void Run(int first, int end);
}
