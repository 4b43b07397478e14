using AdderNet.Worker.Membership;
using Xunit;
using static AdderNet.Worker.Tests.Membership.MemberScript;

namespace AdderNet.Worker.Tests.Membership;

public class DepartureTest
{
    private readonly MemberScript member = AtStep10();

    [Fact]
    public void A_member_that_is_asked_to_leave_works_on_until_it_is_released()
    {
        member.Play(new LeaveAsked("asked to leave"));
        member.Told<LeaveReport>();
        member.Hold(11, 5);
        member.Told<VoteReport>();
        member.Order(new ReleasedOrder(Run, "others have taken over"));
        Assert.False(member.Did<Finish>().Failed);
    }

    [Fact]
    public void It_goes_when_its_grace_is_over_and_at_once_when_asked_a_second_time()
    {
        member.Play(new LeaveAsked("asked to leave"));
        Assert.Equal(MemberMachine.Grace, member.State.WakeAt);
        member.Play(new Tick());
        Assert.Empty(member.Actions);
        member.Now = MemberMachine.Grace;
        member.Play(new Tick());
        Assert.False(member.Did<Finish>().Failed);

        var other = AtStep10();
        other.Play(new LeaveAsked("asked to leave"));
        other.Play(new LeaveAsked("asked to leave"));
        other.Did<Finish>();
    }

    [Fact]
    public void Without_a_coordinator_it_waits_a_shorter_time_and_asks_again_when_there_is_one()
    {
        member.Play(new LeaveAsked("asked to leave"));
        member.Play(new SessionLost("broke"));
        Assert.Equal(MemberMachine.GraceWithoutSession, member.State.WakeAt);
        member.Order(Welcome());
        member.Told<PreparedReport>();
        member.Told<LeaveReport>();
    }

    [Fact]
    public void A_worker_that_nobody_counts_on_goes_at_once()
    {
        var fresh = new MemberScript();
        fresh.Play(new LeaveAsked("asked to leave"));
        fresh.Did<Finish>();
        var observer = Observing();
        observer.Play(new LeaveAsked("asked to leave"));
        observer.Did<Finish>();
    }
}
