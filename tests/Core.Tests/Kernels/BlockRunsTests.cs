using AdderNet.Core.Kernels;
using Xunit;

namespace AdderNet.Core.Tests.Kernels;

public class BlockRunsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(43, 1, 2)]
    [InlineData(683, 13, 2)]
    [InlineData(100, 7, 5)]
    [InlineData(3, 20, 8)]
    public void Runs_take_every_block_once_in_order(int blocks, int most, int threads)
    {
        var runs = new BlockRuns(blocks, most, threads);
        var next = 0;
        for (var run = runs.Take(); run.First < run.End; run = runs.Take())
        {
            Assert.Equal(next, run.First);
            Assert.InRange(run.End - run.First, 1, most);
            next = run.End;
        }

        Assert.Equal(blocks, next);
    }

    [Fact]
    public void Runs_become_short_where_few_blocks_are_left()
    {
        var runs = new BlockRuns(683, 13, 2);
        var lengths = new List<int>();
        for (var run = runs.Take(); run.First < run.End; run = runs.Take())
            lengths.Add(run.End - run.First);

        Assert.Equal(7, lengths[0]);
        Assert.Equal(13, lengths[1]);
        Assert.All(lengths[^7..], length => Assert.Equal(1, length));
    }

    [Fact]
    public void The_run_foreseen_is_the_one_that_follows_those_of_the_other_threads()
    {
        var runs = new BlockRuns(683, 13, 2);
        runs.Take();
        var run = runs.Take();
        runs.Take();

        Assert.Equal(runs.After(run), runs.Take());
        Assert.Equal(new BlockRun(683, 683), runs.After(new BlockRun(682, 683)));
    }

    [Fact]
    public void Whoever_adds_finds_all_blocks_before_added()
    {
        const int blocks = 2000;
        var runs = new BlockRuns(blocks, 3, 4);
        var added = new List<int>();
        var threads = Enumerable.Range(0, 4).Select(_ => Started(() =>
        {
            for (var run = runs.Take(); run.First < run.End && runs.Await(run); run = runs.Take())
            {
                added.AddRange(Enumerable.Range(run.First, run.End - run.First));
                runs.Pass(run);
            }
        })).ToList();

        Assert.All(threads, thread => Assert.True(thread.Join(Patience)));
        Assert.Equal(Enumerable.Range(0, blocks), added);
    }

    [Fact]
    public void Nobody_waits_for_a_thread_that_failed()
    {
        var runs = new BlockRuns(10, 2, 2);
        runs.Take();
        var second = runs.Take();
        var turned = true;
        var waiting = Started(() => turned = runs.Await(second));
        Assert.False(waiting.Join(Moment));

        runs.Abandon();
        Assert.True(waiting.Join(Patience));
        Assert.False(turned);
    }

    private static Thread Started(Action body)
    {
        var thread = new Thread(() => body()) { IsBackground = true };
        thread.Start();
        return thread;
    }
}
