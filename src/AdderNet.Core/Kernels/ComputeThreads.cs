using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace AdderNet.Core.Kernels;

/// <summary>
/// The threads of one replica. They only ever split independent outputs, so their number changes no bit. Threads start at
/// the first call that needs them and wait between calls, at first without giving up their core, since layers follow one
/// another closely; calls must come one at a time and not from within a body.
/// </summary>
internal sealed unsafe class ComputeThreads : IDisposable
{
    private readonly Thread[] helpers;
    private readonly OrderGate[] orders;
    private readonly OrderGate finished = new();
    private int unfinished;

    // The order that helpers carry out: a job on the caller's stack.
    private void* job;
    private delegate*<void*, int, int, void> invoke;
    private int items;
    private int parts;
    private bool started;
    private volatile bool stopping;
    private volatile ExceptionDispatchInfo? failure;

    /// <param name="count">Threads to use, the calling one included; at least 1.</param>
    public ComputeThreads(int count)
        : this(count, new Workspace(), new ConvolutionPlans())
    {
    }

    private ComputeThreads(int count, Workspace workspace, ConvolutionPlans plans)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        Count = count;
        Workspace = workspace;
        Plans = plans;
        Alone = count == 1 ? this : new ComputeThreads(1, workspace, plans);
        Each = new ComputeThreads[count];
        for (var i = 0; i < count; i++)
            Each[i] = count == 1 ? this : new ComputeThreads(1);
        helpers = new Thread[count - 1];
        orders = new OrderGate[count - 1];
        for (var i = 0; i < orders.Length; i++)
            orders[i] = new OrderGate();
    }

    public int Count { get; }

    /// <summary>Scratch memory of the kernels that run on these threads.</summary>
    public Workspace Workspace { get; }

    /// <summary>Plans of the shapes that kernels have met on these threads.</summary>
    public ConvolutionPlans Plans { get; }

    /// <summary>The calling thread alone, with the same scratch memory: for work that is too small to share.</summary>
    public ComputeThreads Alone { get; }

    /// <summary>
    /// Each thread alone, with scratch memory and plans of its own: for parts of a job that call kernels themselves. Of as many items as there are
    /// threads, each for the thread that does it.
    /// </summary>
    public ComputeThreads[] Each { get; }

    /// <summary>Runs the job over disjoint consecutive parts that cover [0, <paramref name="items"/>), without allocating.</summary>
    /// <param name="items">Independent items.</param>
    /// <param name="job">What to do with a part. It is copied to this thread's stack, where every thread reads it.</param>
    /// <param name="grain">Fewest items that are worth a thread: waking one costs some microseconds.</param>
    public void Split<TJob>(int items, TJob job, int grain = 1)
        where TJob : struct, ISplitJob
    {
        var shares = Math.Min(Count, items / Math.Max(grain, 1));
        if (shares <= 1)
        {
            if (items > 0)
                job.Run(0, items);
            return;
        }

        // The copy lies on this stack until all parts have ended; the collector updates references in it like any local's.
        this.job = Unsafe.AsPointer(ref job);
        invoke = &Invoke<TJob>;
        Share(items, shares);
        failure?.Throw();
    }

    /// <summary>Grain of a job that goes over its elements once, or a few times where they lie in the first-level cache.</summary>
    /// <param name="elements">Elements of an item.</param>
    public static int GrainOf(long elements)
    {
        // Some microseconds of one thread.
        const int worthAThread = 16 * 1024;
        return (int)Math.Max(1, worthAThread / Math.Max(elements, 1));
    }

    /// <summary>Bytes that these threads have allocated on the managed heap since they started, the calling one included.</summary>
    public long AllocatedBytes()
    {
        var total = 0L;
        Split(Count, new CountAllocatedJob { Total = &total });
        return total;
    }

    public void Dispose()
    {
        if (stopping)
            return;
        stopping = true;
        if (started)
        {
            foreach (var order in orders)
                order.Open();
            foreach (var helper in helpers)
                helper.Join();
        }

        foreach (var order in orders)
            order.Dispose();
        finished.Dispose();
        if (Alone == this)
            return;
        Alone.Dispose();
        foreach (var thread in Each)
            thread.Dispose();
    }

    private static void Invoke<TJob>(void* job, int first, int end)
        where TJob : struct, ISplitJob => Unsafe.AsRef<TJob>(job).Run(first, end);

    private void Share(int items, int shares)
    {
        this.items = items;
        parts = shares;
        failure = null;
        Start();
        Volatile.Write(ref unfinished, parts - 1);
        for (var i = 0; i < parts - 1; i++)
            orders[i].Open();
        RunPart(parts - 1);
        finished.Pass();
    }

    private void RunPart(int part)
    {
        var first = (int)((long)items * part / parts);
        var end = (int)((long)items * (part + 1) / parts);
        try
        {
            invoke(job, first, end);
        }
        catch (Exception exception)
        {
            // Rethrown on the calling thread once all parts have ended: they use its stack.
            failure = ExceptionDispatchInfo.Capture(exception);
        }
    }

    private void Start()
    {
        if (started)
            return;
        started = true;
        for (var i = 0; i < helpers.Length; i++)
        {
            var index = i;
            helpers[i] = new Thread(() => Help(index)) { IsBackground = true, Name = $"addernet compute {i + 1}" };
            helpers[i].Start();
        }
    }

    private void Help(int index)
    {
        while (true)
        {
            orders[index].Pass();
            if (stopping)
                return;
            RunPart(index);
            if (Interlocked.Decrement(ref unfinished) == 0)
                finished.Open();
        }
    }

    /// <summary>As many items as threads, so that each thread does one.</summary>
    private struct CountAllocatedJob : ISplitJob
    {
        public long* Total;

        public readonly void Run(int first, int end) => Interlocked.Add(ref *Total, GC.GetAllocatedBytesForCurrentThread());
    }
}
