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

    // The order that helpers carry out: either a job struct on the caller's stack or a delegate.
    private void* job;
    private delegate*<void*, int, int, void> invoke;
    private Action<int, int>? body;
    private int items;
    private int parts;
    private bool started;
    private volatile bool stopping;
    private volatile ExceptionDispatchInfo? failure;

    /// <param name="count">Threads to use, the calling one included; at least 1.</param>
    public ComputeThreads(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        Count = count;
        helpers = new Thread[count - 1];
        orders = new OrderGate[count - 1];
        for (var i = 0; i < orders.Length; i++)
            orders[i] = new OrderGate();
    }

    public int Count { get; }

    /// <summary>Scratch memory of the kernels that run on these threads.</summary>
    public Workspace Workspace { get; } = new();

    /// <summary>Plans of the shapes that kernels have met on these threads.</summary>
    public ConvolutionPlans Plans { get; } = new();

    /// <summary>Runs <paramref name="body"/>(first, end) over disjoint consecutive parts that cover [0, <paramref name="items"/>).</summary>
    public void Split(int items, Action<int, int> body)
    {
        if (Math.Min(Count, items) <= 1)
        {
            if (items > 0)
                body(0, items);
            return;
        }

        this.body = body;
        Share(items);
        this.body = null;
        failure?.Throw();
    }

    /// <summary>As the other overload, without allocating.</summary>
    public void Split<TJob>(int items, in TJob job)
        where TJob : unmanaged, ISplitJob
    {
        fixed (TJob* pinned = &job)
        {
            if (Math.Min(Count, items) <= 1)
            {
                if (items > 0)
                    pinned->Run(0, items);
                return;
            }

            this.job = pinned;
            invoke = &Invoke<TJob>;
            Share(items);
            failure?.Throw();
        }
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
    }

    private static void Invoke<TJob>(void* job, int first, int end)
        where TJob : unmanaged, ISplitJob => ((TJob*)job)->Run(first, end);

    private void Share(int items)
    {
        this.items = items;
        parts = Math.Min(Count, items);
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
            if (body is { } action)
                action(first, end);
            else
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
}
