using AdderNet.Core.Engine;
using AdderNet.Core.Sharding;
using AdderNet.Worker.Exchange;
using AdderNet.Worker.Membership;
using Xunit;

namespace AdderNet.Worker.Tests.Exchange;

public sealed class GradientExchangeTest : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private readonly List<ExchangeMember> members = [];

    [Theory]
    [InlineData(2, 8, 1000, 4000, 0, 1u)]
    [InlineData(3, 8, 1003, 400, 0, 2u)]
    [InlineData(5, 16, 2049, 1000, 0, 3u)]
    [InlineData(5, 8, 3, 4, 0, 4u)]
    [InlineData(2, 4, 800_000, 4 << 20, 0, 5u)]
    [InlineData(3, 8, 1003, 400, 2, 6u)]
    [InlineData(4, 8, 200_000, 100_000, 2, 7u)]
    [InlineData(7, 16, 2049, 1000, 3, 8u)]
    [InlineData(9, 64, 999, 300, 4, 9u)]
    public async Task Members_over_grpc_get_the_bits_that_one_member_gets_alone(int count, int shards, int length, int bucketBytes, int groupSize, uint seed)
    {
        using var timeout = new CancellationTokenSource(Limit);
        await StartAsync(count);
        for (var generation = 1; generation <= 3; generation++)
        {
            var ranges = ExchangeCase.Ranges(shards, count, seed + (uint)generation);
            var view = ExchangeCase.View(members, ranges, generation, (generation - 1) * 2);
            members.ForEach(m => m.Enter(view, shards, length, bucketBytes, groupSize));
            for (var step = view.BaseStep + 1; step <= view.BaseStep + 2; step++)
            {
                var leaves = ExchangeCase.Leaves(shards, length, seed + (uint)step);
                var (mean, counts) = ExchangeCase.OneMember(leaves);
                var results = await Task.WhenAll(members.Select((m, i) => m.ReduceAsync(step, ExchangeCase.Sums(leaves, ranges[i]), length, timeout.Token)));
                Assert.All(results, r => Assert.Equal(counts, r.Counts));
                Assert.All(results, r => Assert.Equal(ExchangeCase.Bits(mean), ExchangeCase.Bits(r.Mean)));
            }
        }
    }

    [Fact]
    public async Task Every_member_that_computes_sends_gradient_bytes_even_when_one_bucket_would_do()
    {
        using var timeout = new CancellationTokenSource(Limit);
        await StartAsync(3);
        ShardRange[] ranges = [new(0, 4), new(4, 8), new(8, 8)];
        var view = ExchangeCase.View(members, ranges);
        members.ForEach(m => m.Enter(view, 8, 100, 4 << 20));
        var leaves = ExchangeCase.Leaves(8, 100, 9);
        await Task.WhenAll(members.Select((m, i) => m.ReduceAsync(1, ExchangeCase.Sums(leaves, ranges[i]), 100, timeout.Token)));

        // Each of the two owners hands its half of the mean to two members and its half sum to the other owner.
        Assert.Equal([600L, 600L, 0L], members.Select(m => m.Service.GradientBytesSent));
    }

    [Fact]
    public async Task Sixteen_members_in_groups_get_the_bits_of_one_and_send_as_many_bytes_as_without()
    {
        const int Length = 160;
        using var timeout = new CancellationTokenSource(Limit);
        await StartAsync(16);
        var ranges = Enumerable.Range(0, 16).Select(i => new ShardRange(2 * i, (2 * i) + 2)).ToList();
        var view = ExchangeCase.View(members, ranges);
        members.ForEach(m => m.Enter(view, 32, Length, 40, groupSize: 4));
        var leaves = ExchangeCase.Leaves(32, Length, 11);
        var results = await Task.WhenAll(members.Select((m, i) => m.ReduceAsync(1, ExchangeCase.Sums(leaves, ranges[i]), Length, timeout.Token)));
        var (mean, counts) = ExchangeCase.OneMember(leaves);
        Assert.All(results, r => Assert.Equal(counts, r.Counts));
        Assert.All(results, r => Assert.Equal(ExchangeCase.Bits(mean), ExchangeCase.Bits(r.Mean)));

        // Fifteen sixteenths of a gradient as sums and as much as means, as if each had it from each other one.
        Assert.All(members, m => Assert.Equal(2 * 15 * 40L, m.Service.GradientBytesSent));
    }

    [Theory]
    [InlineData(64, 0, 63, 0)]
    [InlineData(64, 8, 7 + 7, 7)]
    [InlineData(64, 16, 15 + 3, 3)]
    [InlineData(12, 4, 3 + 2, 2)]
    public async Task A_member_has_lanes_to_its_own_group_and_to_its_counterparts_in_the_others(int count, int groupSize, int peers, int beyond)
    {
        var infos = Enumerable.Range(0, count).Select(i => new MemberInfo($"w{i}", $"http://127.0.0.1:{1000 + i}", new ShardRange(i, i + 1), true)).ToList();
        var view = new GenerationView(ExchangeMember.Run, 1, infos, 0, 0, [], string.Empty, "test");
        await using var channels = new PeerChannels(null);
        var groups = new ExchangeGroups(infos, groupSize);
        foreach (var me in infos)
        {
            var lanes = new List<MemberInfo>();
            await using var exchange = new GradientExchange(view, me.WorkerId, 64, 6400, 400, groupSize, new PieceStore(TimeProvider.System, Limit), Lane);
            Assert.Equal(peers, lanes.Distinct().Count());
            Assert.Equal(beyond, lanes.Distinct().Count(to => groups.GroupOf(to) != groups.GroupOf(me)));
            Assert.All(lanes.CountBy(to => to.WorkerId), to => Assert.InRange(to.Value, 1, ReceiveWindows.StreamsOfNeighbour - 2)); // room for moments and a sign of life

            PullLane Lane(MemberInfo to)
            {
                lanes.Add(to);
                return new PullLane(to, channels.To(to), me.WorkerId, () => { }, channels.Time);
            }
        }
    }

    [Fact]
    public async Task A_deputy_that_dies_ends_the_exchange_in_every_group()
    {
        using var timeout = new CancellationTokenSource(Limit);
        await StartAsync(4);
        ShardRange[] ranges = [new(0, 2), new(2, 4), new(4, 6), new(6, 8)];
        var view = ExchangeCase.View(members, ranges);
        members.ForEach(m => m.Enter(view, 8, 100, 100, groupSize: 2));
        var leaves = ExchangeCase.Leaves(8, 100, 9);

        // Member 3 never computes: its own group and its counterpart in the other one wait for it, member 0 for what they then lack.
        var waiting = members.Take(3).Select((m, i) => m.ReduceAsync(1, ExchangeCase.Sums(leaves, ranges[i]), 100, timeout.Token)).ToList();
        await members[3].DieAsync();
        foreach (var member in (int[])[1, 2])
            Assert.Equal("w3", (await Assert.ThrowsAsync<PeerException>(() => waiting[member])).Peer);
        Assert.False(waiting[0].IsCompleted);
        await members[1].DieAsync();
        await Assert.ThrowsAsync<PeerException>(() => waiting[0]);
    }

    [Fact]
    public async Task A_neighbour_that_dies_ends_the_exchange_with_its_name_and_no_hang()
    {
        using var timeout = new CancellationTokenSource(Limit);
        await StartAsync(3);
        ShardRange[] ranges = [new(0, 4), new(4, 6), new(6, 8)];
        var view = ExchangeCase.View(members, ranges);
        members.ForEach(m => m.Enter(view, 8, 100, 4));
        var leaves = ExchangeCase.Leaves(8, 100, 9);

        // Member 2 never computes: the others wait for it when it goes.
        var waiting = members.Take(2).Select((m, i) => m.ReduceAsync(1, ExchangeCase.Sums(leaves, ranges[i]), 100, timeout.Token)).ToList();
        await members[2].DieAsync();
        foreach (var task in waiting)
        {
            var error = await Assert.ThrowsAsync<PeerException>(() => task);
            Assert.Equal("w2", error.Peer);
            Assert.Contains(members[2].Address, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Sums_that_do_not_cover_all_shards_end_the_exchange_and_no_mean_comes_of_them()
    {
        using var timeout = new CancellationTokenSource(Limit);
        await StartAsync(2);
        ShardRange[] ranges = [new(0, 4), new(4, 7)];
        var view = ExchangeCase.View(members, ranges);
        members.ForEach(m => m.Enter(view, 8, 100, 100));
        var leaves = ExchangeCase.Leaves(8, 100, 9);

        // Nobody has shard 7: each owner finds that out for itself, though the other one's mean never comes.
        var waiting = members.Select((m, i) => m.ReduceAsync(1, ExchangeCase.Sums(leaves, ranges[i]), 100, timeout.Token)).ToList();
        foreach (var task in waiting)
            Assert.Contains("do not cover all shards", (await Assert.ThrowsAsync<PeerException>(() => task)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_exchange_ends_at_once_and_the_next_generation_works()
    {
        using var timeout = new CancellationTokenSource(Limit);
        await StartAsync(2);
        ShardRange[] ranges = [new(0, 4), new(4, 8)];
        var leaves = ExchangeCase.Leaves(8, 100, 9);
        members[0].Enter(ExchangeCase.View(members, ranges), 8, 100, 100);
        using var newer = new CancellationTokenSource();
        var waiting = members[0].ReduceAsync(1, ExchangeCase.Sums(leaves, ranges[0]), 100, newer.Token);
        await newer.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        var view = ExchangeCase.View(members, ranges, generation: 2);
        members.ForEach(m => m.Enter(view, 8, 100, 100));
        var results = await Task.WhenAll(members.Select((m, i) => m.ReduceAsync(1, ExchangeCase.Sums(leaves, ranges[i]), 100, timeout.Token)));
        Assert.All(results, r => Assert.Equal(ExchangeCase.OneMember(leaves).Mean, r.Mean));
    }

    [Theory]
    [InlineData(ExchangeMember.Run, 3L, 7L, "generation 3 is over")]
    [InlineData(ExchangeMember.Run, 4L, 5L, "step 5 is over")]
    [InlineData(ExchangeMember.Run, 4L, 9L, "more than one ahead")]
    [InlineData("run-2", 4L, 7L, "run-2")]
    public async Task A_stale_or_foreign_request_is_refused_with_the_reason(string run, long generation, long step, string reason)
    {
        using var timeout = new CancellationTokenSource(Limit);
        await StartAsync(2);
        members[1].Enter(ExchangeCase.View(members, [new(0, 4), new(4, 8)], generation: 4, baseStep: 6), 8, 100, 100);
        members[1].Store.BeginStep(7);
        var view = ExchangeCase.View(members, [new(0, 4), new(4, 8)]);
        await using var lane = members[0].Lane(view.Members[1]);
        var error = await Assert.ThrowsAsync<PeerException>(() =>
            lane.PullAsync([new PieceId(run, generation, step, PieceSort.Subtrees, 0)], PullLane.Always, _ => { }, timeout.Token));
        Assert.Contains("FailedPrecondition", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Equal(1, members[1].Store.Refused);
    }

    [Fact]
    public async Task Moments_merge_to_the_same_bits_on_every_member_step_after_step()
    {
        using var timeout = new CancellationTokenSource(Limit);
        await StartAsync(3);
        ShardRange[] ranges = [new(0, 3), new(3, 4), new(4, 8)];
        var view = ExchangeCase.View(members, ranges);
        members.ForEach(m => m.Enter(view, 8, 10, 40));

        // Steps of different numbers of meetings, though a model's are all alike. Each member goes at its own pace, as they do.
        await Task.WhenAll(members.Select(async (member, i) =>
        {
            for (var step = 1; step <= 4; step++)
            {
                for (var meeting = 0; meeting < 3 + step; meeting++)
                {
                    if (meeting == 0)
                        member.BeginStep(step);
                    var pass = meeting % 2 == 0 ? MomentPass.Forward : MomentPass.Backward;
                    var leaves = Moments(8, step, meeting);
                    var merged = await member.Moments.MergeAsync(meeting, pass, MomentTree.Reduce(leaves[ranges[i].First..ranges[i].End], pass), timeout.Token);
                    Assert.Equal(MomentTree.Merge(leaves, 8, pass), merged);
                }

                // The gradient is exchanged before the next step begins.
                var gradients = ExchangeCase.Leaves(8, 10, (uint)step);
                await member.ReduceAsync(step, ExchangeCase.Sums(gradients, ranges[i]), 10, timeout.Token);
            }
        }));
        Assert.All(members, m => Assert.Equal(0, m.Store.Refused));
    }

    [Fact]
    public async Task A_member_that_dies_between_two_meetings_ends_the_next_one_with_its_name()
    {
        using var timeout = new CancellationTokenSource(Limit);
        await StartAsync(3);
        ShardRange[] ranges = [new(0, 2), new(2, 4), new(4, 8)];
        var view = ExchangeCase.View(members, ranges);
        members.ForEach(m => m.Enter(view, 8, 10, 40));
        members.ForEach(m => m.BeginStep(1));
        await Task.WhenAll(members.Select((m, i) => MeetAsync(m, ranges[i], 0)));
        await members[2].DieAsync();
        foreach (var survivor in (Task[])[MeetAsync(members[0], ranges[0], 1), MeetAsync(members[1], ranges[1], 1)])
            Assert.Equal("w2", (await Assert.ThrowsAsync<PeerException>(() => survivor)).Peer);

        Task MeetAsync(ExchangeMember member, ShardRange range, int meeting) => member.Moments.MergeAsync(
            meeting, MomentPass.Forward, MomentTree.Reduce(Moments(8, 1, meeting)[range.First..range.End], MomentPass.Forward), timeout.Token).AsTask();
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var member in members)
            await member.DisposeAsync();
    }

    private static MomentNode[] Moments(int shards, int step, int meeting) =>
        [.. Enumerable.Range(0, shards).Select(i => new MomentNode(new TreeNodeId(0, i), [i + 2, (meeting + 1.0) / (i + 3), 0.1 * i * step]))];

    private async Task StartAsync(int count)
    {
        for (var i = 0; i < count; i++)
            members.Add(await ExchangeMember.StartAsync($"w{i}"));
    }
}
