namespace AdderNet.Core.Kernels;

/// <summary>Blocks of a sum that follow one another.</summary>
/// <param name="First">The first block.</param>
/// <param name="End">Behind the last one; <paramref name="First"/> where no blocks are left.</param>
internal readonly record struct BlockRun(int First, int End);

/// <summary>
/// Hands the blocks of a sum to threads, a run at a time to whoever asks, and has them add what they make of their runs in the order
/// of the blocks, so that neither the number of threads nor their speed changes a bit. A thread adds each run before it takes the
/// next. Threads share one instance through its address.
/// </summary>
/// <param name="blocks">Blocks of the sum.</param>
/// <param name="most">Most blocks of a run, at least 1.</param>
/// <param name="threads">Threads that share the blocks.</param>
internal struct BlockRuns(int blocks, int most, int threads)
{
    /// <summary>Runs in which each thread could take its share of the blocks that are left: they become shorter, so that all threads end at about the same time.</summary>
    private const int RunsLeft = 4;

    private int taken;
    private int added;
    private bool abandoned;

    /// <summary>The next run, an empty one when all are taken.</summary>
    public BlockRun Take()
    {
        while (true)
        {
            var run = From(Volatile.Read(ref taken));
            if (Interlocked.CompareExchange(ref taken, run.End, run.First) == run.First)
                return run;
        }
    }

    /// <summary>The run that whoever took one is likely to take next, where all threads are equally fast.</summary>
    public readonly BlockRun After(BlockRun run) => From(Math.Min(run.End + (threads - 1) * (run.End - run.First), blocks));

    /// <summary>Waits until all blocks before a run are added; false where that will never be (<see cref="Abandon"/>).</summary>
    public bool Await(BlockRun run)
    {
        var spin = default(SpinWait);
        while (Volatile.Read(ref added) != run.First)
        {
            if (Volatile.Read(ref abandoned))
                return false;

            // Never asleep: the others add in a microsecond what they are behind.
            spin.SpinOnce(sleep1Threshold: -1);
        }

        return true;
    }

    /// <summary>The run is added; its turn had come.</summary>
    public void Pass(BlockRun run) => Volatile.Write(ref added, run.End);

    /// <summary>A thread failed before it could add its run: nobody is to wait for it.</summary>
    public void Abandon() => Volatile.Write(ref abandoned, true);

    // The first runs are of different lengths too: threads that ended at the same time would wait for each other.
    private readonly BlockRun From(int first)
    {
        var left = blocks - first;
        var beginning = first + (most + threads - 1) / threads;
        var ending = (left + threads * RunsLeft - 1) / (threads * RunsLeft);
        return new BlockRun(first, first + Math.Min(Math.Min(most, left), Math.Min(beginning, ending)));
    }
}
