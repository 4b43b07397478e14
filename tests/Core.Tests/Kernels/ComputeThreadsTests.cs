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
            threads.Split(items, (first, end) =>
            {
                for (var i = first; i < end; i++)
                    Interlocked.Increment(ref visits[i]);
            });
            Assert.All(visits, visit => Assert.Equal(1, visit));
        }
    }

    [Fact]
    public void A_failure_on_any_thread_reaches_the_caller_and_leaves_the_threads_usable()
    {
        using var threads = new ComputeThreads(3);
        for (var failing = 0; failing < 3; failing++)
        {
            var error = Assert.Throws<InvalidOperationException>(() => threads.Split(3, (first, _) =>
            {
                if (first == failing)
                    throw new InvalidOperationException($"part {first}");
            }));
            Assert.Equal($"part {failing}", error.Message);
        }

        var sum = 0;
        threads.Split(3, (first, _) => Interlocked.Add(ref sum, first));
        Assert.Equal(3, sum);
    }

    [Fact]
    public unsafe void Job_structs_run_without_allocating()
    {
        using var threads = new ComputeThreads(2);
        var values = stackalloc int[1000];
        var job = new Fill { Values = values };
        for (var i = 0; i < 20; i++)
            threads.Split(1000, job);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            threads.Split(1000, job);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        for (var i = 0; i < 1000; i++)
            Assert.Equal(i, values[i]);
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
