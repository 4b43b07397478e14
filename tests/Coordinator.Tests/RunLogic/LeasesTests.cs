using AdderNet.Coordinator.RunLogic;
using Xunit;

namespace AdderNet.Coordinator.Tests.RunLogic;

public class LeasesTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(2.5);

    [Fact]
    public void Of_several_that_stand_still_only_the_one_that_does_so_the_longest_is_given_up()
    {
        var hung = Leases.Hung([Member("a", 3, 0.1), Member("b", 1, 0.1), Member("c", 2, 0.1)], Lease, 1, TimeSpan.Zero, Seconds(10));
        Assert.Equal(("b", "it made no progress for 9.0 s"), (hung!.Value.Member.WorkerId, hung.Value.Why));
    }

    [Theory]
    [InlineData(0.1, 1.0, 2.5)]
    [InlineData(1.0, 1.0, 10.0)]
    [InlineData(1.0, 3.0, 30.0)]
    [InlineData(0.0, 1.0, 600.0)]
    [InlineData(1.0, null, 600.0)]
    public void The_compute_deadline_is_ten_of_the_workers_own_shards_but_at_least_the_lease(double slowest, double? scale, double seconds) =>
        Assert.Equal(Seconds(seconds), Leases.ComputeDeadline(Member("a", 0, slowest), Lease, scale));

    [Fact]
    public void A_phase_in_which_all_only_wait_and_nothing_moves_is_tried_again()
    {
        MemberState[] waiting = [Member("a", 3, 0.1) with { Waits = true }, Member("b", 1, 0.1) with { Waits = true }];
        Assert.Null(Leases.Stalled(waiting, Lease, TimeSpan.Zero, Seconds(12.9)));
        Assert.Equal("a, b only wait, and nothing has moved for 10.0 s", Leases.Stalled(waiting, Lease, TimeSpan.Zero, Seconds(13)));
        Assert.Null(Leases.Stalled([waiting[0], Member("b", 1, 0.1)], Lease, TimeSpan.Zero, Seconds(100)));
    }

    [Fact]
    public void Standing_still_counts_from_the_start_of_the_phase_not_from_the_last_progress_before_it() =>
        Assert.Null(Leases.Hung([Member("a", 0, 0.1)], Lease, 1, Seconds(8), Seconds(10)));

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    private static MemberState Member(string id, double progressAt, double slowest) => new()
    {
        WorkerId = id,
        Session = 1,
        Info = RunScript.Info(id),
        Joined = 0,
        ProgressAt = Seconds(progressAt),
        SlowestShard = slowest,
    };
}
