using AdderNet.Protos.V1;
using Xunit;

namespace AdderNet.Worker.Tests.Training;

public class SessionTest
{
    [Fact]
    public async Task A_worker_asked_to_leave_says_so_and_exits_with_0()
    {
        await using var cluster = await Cluster.StartAsync(0);
        using var leave = new CancellationTokenSource();
        var session = await cluster.AddAsync(leave.Token);
        await cluster.BeginGenerationAsync(Cluster.Even(1));
        await leave.CancelAsync();
        var last = await session.ExpectAsync(WorkerMessage.BodyOneofCase.Leave, cluster.Limit);
        Assert.Equal("asked to leave", last.Leave.Reason);
        Assert.Equal(0, await cluster.Exits[0]);
    }

    [Theory]
    [InlineData("completed", 0)]
    [InlineData("stopped", 0)]
    [InlineData("cancelled", 0)]
    [InlineData("failed", 1)]
    public async Task The_exit_status_tells_how_the_run_ended(string state, int status)
    {
        await using var cluster = await Cluster.StartAsync(1);
        await cluster.EndAsync(state);
        Assert.Equal(status, await cluster.Exits[0]);
        Assert.Equal(status == 0 ? "" : $"addernet worker: the test is over{Environment.NewLine}", cluster.Errors);
    }

    [Fact]
    public async Task A_refused_worker_exits_with_1_and_the_coordinators_reason()
    {
        await using var cluster = await Cluster.StartAsync(0);
        var exit = cluster.Start("w0");
        var session = await cluster.Script.AcceptAsync(cluster.Limit);
        await session.SendAsync(0, 0, m => m.Refused = new Refused { Final = true, Reason = "your build is a, the run's is b" });
        Assert.Equal(1, await exit);
        Assert.Equal($"addernet worker: your build is a, the run's is b{Environment.NewLine}", cluster.Errors);
    }

    [Fact]
    public async Task A_broken_stream_is_opened_again_with_the_same_id_and_the_worker_reports_what_it_holds()
    {
        await using var cluster = await Cluster.StartAsync(1);
        await cluster.BeginGenerationAsync(Cluster.Even(1));
        await cluster.StepsAsync(1);
        var vote = await cluster.VoteAsync();
        cluster.Members[0].Broken = true;
        var again = await cluster.Script.WelcomeAsync(cluster.Limit);
        Assert.Equal("w0", again.Hello.WorkerId);
        Assert.Equal(CoordinatorScript.Run, again.RunId);
        Assert.Equal(1UL, again.Prepared.Report.AppliedStep);
        Assert.Equal(2UL, again.Prepared.Report.PendingStep);
        Assert.Equal(vote.Hash, again.Prepared.Report.PendingHash);
        Assert.Equal(cluster.Votes[0].Outcome, again.Prepared.Report.AppliedOutcome);

        cluster.Members[0] = again;
        await cluster.CommitAsync(vote);
        await cluster.EndAsync();
        Assert.Equal(0, await cluster.Exits[0]);
    }

    [Fact]
    public async Task Heartbeats_come_while_the_worker_waits_and_say_so()
    {
        await using var cluster = await Cluster.StartAsync(1);
        await cluster.BeginGenerationAsync(Cluster.Even(1));
        var session = cluster.Members[0];
        while (!session.Heartbeats.Any(h => h.Waiting))
        {
            cluster.Limit.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    [Fact]
    public async Task Data_that_is_not_there_ends_the_worker_with_one_line_that_names_it()
    {
        await using var cluster = await Cluster.StartAsync(0, "model: {name: lenet5}\ndata: {format: idx, path: /nowhere/mnist}\n");
        var exit = cluster.Start("w0");
        var session = await cluster.Script.AcceptAsync(cluster.Limit);
        await session.SendAsync(0, 0, m => m.Welcome = new Welcome { Description = "model: {name: lenet5}\ndata: {format: idx, path: /nowhere/mnist}\n", HeartbeatMs = 50, LeaseMs = 1000 });
        Assert.Contains("/nowhere/mnist", (await session.ExpectAsync(WorkerMessage.BodyOneofCase.Leave, cluster.Limit)).Leave.Reason, StringComparison.Ordinal);
        Assert.Equal(1, await exit);
        Assert.StartsWith("addernet worker: data.path", cluster.Errors, StringComparison.Ordinal);
        Assert.Single(cluster.Errors.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task A_taken_port_ends_the_worker_with_one_line_that_names_it()
    {
        await using var cluster = await Cluster.StartAsync(0);
        using var errors = new StringWriter();
        var options = new WorkerOptions { Coordinator = cluster.Script.Address, Listen = cluster.Script.Address, Threads = 1, Errors = errors };
        Assert.Equal(1, await WorkerHost.RunAsync(options, cluster.Limit));
        Assert.Contains(cluster.Script.Address.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), errors.ToString(), StringComparison.Ordinal);
        Assert.Single(errors.ToString().TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task A_coordinator_that_is_not_there_ends_the_worker_after_bounded_retries_with_one_line()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        using var errors = new StringWriter();
        var time = new HurriedTime();
        var options = new WorkerOptions { Coordinator = new Uri("http://127.0.0.1:9"), Threads = 1, Errors = errors, Time = time };
        Assert.Equal(1, await WorkerHost.RunAsync(options, limit.Token));
        Assert.Contains("cannot reach the coordinator at http://127.0.0.1:9/", errors.ToString(), StringComparison.Ordinal);
        Assert.Single(errors.ToString().TrimEnd().Split('\n'));
        Assert.InRange(time.Waited.TotalSeconds, 20, 60);
    }
}
