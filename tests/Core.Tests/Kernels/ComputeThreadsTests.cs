using AdderNet.Core.Kernels;
using Xunit;

namespace AdderNet.Core.Tests.Kernels;

public class ComputeThreadsTests
{
    [Theory]
    [InlineData(1, 10)]
    [InlineData(2, 1)]
    [InlineData(3, 7)]
    [InlineData(5, 3)]
    [InlineData(2, 0)]
    public void Parts_cover_every_item_once(int count, int items)
    {
        using var threads = new ComputeThreads(count);
        for (var round = 0; round < 50; round++)
        {
            var visits = new int[items];
            threads.Split(items, new Body((first, end) =>
            {
                for (var i = first; i < end; i++)
                    Interlocked.Increment(ref visits[i]);
            }));
            Assert.All(visits, visit => Assert.Equal(1, visit));
        }
    }

    [Fact]
    public void A_failure_on_any_thread_reaches_the_caller_and_leaves_the_threads_usable()
    {
        using var threads = new ComputeThreads(3);
        for (var failing = 0; failing < 3; failing++)
        {
            var error = Assert.Throws<InvalidOperationException>(() => threads.Split(3, new Body((first, _) =>
            {
                if (first == failing)
                    throw new InvalidOperationException($"part {first}");
            })));
            Assert.Equal($"part {failing}", error.Message);
        }

        var sum = 0;
        threads.Split(3, new Body((first, _) => Interlocked.Add(ref sum, first)));
        Assert.Equal(3, sum);
    }

    [Theory]
    [InlineData(99, 1)]
    [InlineData(100, 2)]
    [InlineData(1000, 3)]
    public void Work_too_small_for_a_thread_stays_on_fewer(int items, int threadsExpected)
    {
        using var threads = new ComputeThreads(3);
        var parts = 0;
        threads.Split(items, new Body((_, _) => Interlocked.Increment(ref parts)), grain: 50);
        Assert.Equal(threadsExpected, parts);
    }

    [Fact]
    public void References_in_a_job_survive_the_collector_while_helpers_read_them()
    {
        using var threads = new ComputeThreads(2);
        for (var round = 0; round < 20; round++)
        {
            var touched = 0;
            threads.Split(2, new Body((_, _) =>
            {
                GC.Collect(0, GCCollectionMode.Forced, blocking: true);
                Interlocked.Increment(ref touched);
            }));
            Assert.Equal(2, touched);
        }
    }

    [Fact]
    public unsafe void Job_structs_run_without_allocating()
    {
        using var threads = new ComputeThreads(2);
        var values = stackalloc int[1000];
        var job = new Fill { Values = values };
        for (var i = 0; i < 20; i++)
            threads.Split(1000, job);

        Assert.Equal(0, AllocatedBytes.LeastOf(() => threads.Split(1000, job)));
        for (var i = 0; i < 1000; i++)
            Assert.Equal(i, values[i]);
    }

    private readonly struct Body(Action<int, int> body) : ISplitJob
    {
        public void Run(int first, int end) => body(first, end);
    }

    private unsafe struct Fill : ISplitJob
    {
        public int* Values;

        public readonly void Run(int first, int end)
        {
            for (var i = first; i < end; i++)
                Values[i] = i;
        }
    }
}
