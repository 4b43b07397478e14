using AdderNet.Worker.Membership;
using AdderNet.Worker.Session;
using Xunit;

namespace AdderNet.Worker.Tests.Session;

public sealed class OrderInboxTest : IDisposable
{
    private readonly OrderInbox inbox = new();

    [Fact]
    public async Task A_new_generation_cancels_the_work_in_progress()
    {
        inbox.Post(new StepOrder("r", 1, 1));
        await inbox.NextAsync(CancellationToken.None);
        var work = inbox.BeginWork(CancellationToken.None);
        Assert.False(work.IsCancellationRequested);
        inbox.Post(Generation(2));
        Assert.True(work.IsCancellationRequested);
    }

    [Fact]
    public async Task Work_that_begins_while_a_new_generation_waits_is_cancelled_from_the_start_and_later_work_is_not()
    {
        inbox.Post(new StepOrder("r", 1, 1));
        inbox.Post(Generation(2));
        inbox.Post(new StepOrder("r", 2, 1));
        await inbox.NextAsync(CancellationToken.None);
        Assert.True(inbox.BeginWork(CancellationToken.None).IsCancellationRequested);
        await inbox.NextAsync(CancellationToken.None);
        Assert.False(inbox.BeginWork(CancellationToken.None).IsCancellationRequested);
        await inbox.NextAsync(CancellationToken.None);
        Assert.False(inbox.BeginWork(CancellationToken.None).IsCancellationRequested);
    }

    [Fact]
    public void Ordinary_orders_leave_the_work_alone()
    {
        var work = inbox.BeginWork(CancellationToken.None);
        inbox.Post(new CommitOrder("r", 1, 1, 5, false));
        inbox.Post(new EvaluateOrder("r", 1, 1, 64, 0, 1));
        Assert.False(work.IsCancellationRequested);
    }

    [Fact]
    public async Task Orders_come_in_their_sequence_and_then_the_reason_for_the_end()
    {
        var work = inbox.BeginWork(CancellationToken.None);
        inbox.Post(new StepOrder("r", 1, 1));
        inbox.Close(new WorkerFailureException("the coordinator is gone"));
        Assert.True(work.IsCancellationRequested);
        Assert.IsType<StepOrder>(await inbox.NextAsync(CancellationToken.None));
        var error = await Assert.ThrowsAsync<WorkerFailureException>(async () => await inbox.NextAsync(CancellationToken.None));
        Assert.Equal("the coordinator is gone", error.Message);
    }

    public void Dispose() => inbox.Dispose();

    private static GenerationOrder Generation(long number) => new(new GenerationView("r", number, [], 0, 0, [], "", ""));
}
