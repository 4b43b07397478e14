namespace AdderNet.Core.Tests;

/// <summary>
/// What work allocates on this thread. A collection that another test sets off counts the unused rest of the thread's allocation
/// buffer, some kilobytes, as allocated: so only the least of several rounds says what each of them needs.
/// </summary>
internal static class AllocatedBytes
{
    private const int Rounds = 5;

    public static long LeastOf(Action round) => Enumerable.Range(0, Rounds).Min(_ => By(round));

    public static long By(Action work)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        work();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
