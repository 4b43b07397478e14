using AdderNet.Core.Sharding;
using AdderNet.Worker.Membership;
using Xunit;

namespace AdderNet.Worker.Tests.Membership;

public class MemberMachineTest
{
    private const string Run = "r";
    private const ulong Hash = 0xabc;

    private static readonly MemberState Positioned = new MemberState { WorkerId = "w1", RunId = Run }
        .Entering(View(3, 10)).Positioned(10, Hash);

    [Fact]
    public void A_message_of_an_older_generation_is_ignored_with_the_numbers()
    {
        var decision = Assert.IsType<Ignore>(MemberMachine.Decide(Positioned, new StepOrder(Run, 2, 11)));
        Assert.Equal("it is of generation 2, this member in 3", decision.Reason);
    }

    [Fact]
    public void A_message_of_a_generation_not_announced_yet_is_held() =>
        Assert.IsType<Hold>(MemberMachine.Decide(Positioned, new StepOrder(Run, 4, 11)));

    [Fact]
    public void Another_runs_message_is_ignored() =>
        Assert.IsType<Ignore>(MemberMachine.Decide(Positioned, new StepOrder("other", 3, 11)));

    [Theory]
    [InlineData(9)]
    [InlineData(10)]
    public void A_step_computed_before_is_not_computed_again(long step) =>
        Assert.IsType<Ignore>(MemberMachine.Decide(Positioned, new StepOrder(Run, 3, step)));

    [Fact]
    public void The_next_step_is_computed_once()
    {
        Assert.Equal(11, Assert.IsType<ComputeStep>(MemberMachine.Decide(Positioned, new StepOrder(Run, 3, 11))).Step);
        Assert.IsType<Ignore>(MemberMachine.Decide(Positioned.Holding(11, 5, false), new StepOrder(Run, 3, 11)));
        Assert.IsType<Fail>(MemberMachine.Decide(Positioned, new StepOrder(Run, 3, 12)));
    }

    [Fact]
    public void Only_the_held_step_with_the_committed_hash_is_applied()
    {
        var holding = Positioned.Holding(11, 5, false);
        Assert.Equal(11, Assert.IsType<ApplyStep>(MemberMachine.Decide(holding, new CommitOrder(Run, 3, 11, 5, false))).Step);
        Assert.Contains("0000000000000006", Assert.IsType<Fail>(MemberMachine.Decide(holding, new CommitOrder(Run, 3, 11, 6, false))).Reason, StringComparison.Ordinal);
        Assert.IsType<Fail>(MemberMachine.Decide(Positioned, new CommitOrder(Run, 3, 11, 5, false)));
        Assert.IsType<Ignore>(MemberMachine.Decide(holding.Applied(), new CommitOrder(Run, 3, 11, 5, false)));
    }

    [Fact]
    public void A_phase_is_only_done_at_its_own_boundary()
    {
        Assert.IsType<EvaluateBlocks>(MemberMachine.Decide(Positioned, new EvaluateOrder(Run, 3, 10, 64, 0, 2)));
        Assert.IsType<Fail>(MemberMachine.Decide(Positioned, new EvaluateOrder(Run, 3, 9, 64, 0, 2)));
        Assert.IsType<SaveCheckpoint>(MemberMachine.Decide(Positioned, new CheckpointOrder(Run, 3, 10, "d", "f", false)));
    }

    [Fact]
    public void Only_a_newer_generation_is_entered()
    {
        Assert.IsType<Ignore>(MemberMachine.Decide(Positioned, new GenerationOrder(View(3, 10))));
        Assert.IsType<Ignore>(MemberMachine.Decide(Positioned, new GenerationOrder(View(2, 10))));
        Assert.IsType<EnterGeneration>(MemberMachine.Decide(Positioned, new GenerationOrder(View(4, 10))));
        Assert.IsType<Ignore>(MemberMachine.Decide(Positioned with { WorkerId = "w9" }, new GenerationOrder(View(4, 10))));
    }

    [Fact]
    public void A_generation_left_before_its_base_can_be_announced_again() =>
        Assert.IsType<EnterGeneration>(MemberMachine.Decide(Positioned.Entering(View(4, 10)), new GenerationOrder(View(4, 10))));

    [Fact]
    public void Orders_before_the_base_is_reached_are_not_followed() =>
        Assert.IsType<Ignore>(MemberMachine.Decide(Positioned.Entering(View(4, 10)), new StepOrder(Run, 4, 11)));

    [Fact]
    public void A_member_ahead_of_the_base_does_not_go_back_but_reports_what_it_holds() =>
        Assert.Contains("no replica goes back", Assert.IsType<ReportState>(MemberMachine.Decide(Positioned, new GenerationOrder(View(4, 9)))).Reason, StringComparison.Ordinal);

    [Fact]
    public void A_welcome_after_a_reconnection_is_answered_with_a_report() => Assert.IsType<ReportState>(MemberMachine.Decide(
        Positioned, new WelcomeOrder(Run, "", "", "", TimeSpan.Zero, TimeSpan.Zero, "", "")));

    [Fact]
    public void The_runs_end_is_obeyed_unless_it_speaks_of_an_older_generation()
    {
        Assert.False(Assert.IsType<Finish>(MemberMachine.Decide(Positioned, new EndOrder(Run, 3, 10, false, "done"))).Failed);
        Assert.True(Assert.IsType<Finish>(MemberMachine.Decide(Positioned, new EndOrder(Run, 0, 0, true, "broken"))).Failed);
        Assert.IsType<Ignore>(MemberMachine.Decide(Positioned, new EndOrder(Run, 2, 10, false, "done")));
    }

    [Fact]
    public void A_member_at_the_base_stays() => Assert.IsType<Stay>(Route(Positioned, View(4, 10)));

    [Fact]
    public void A_member_that_holds_the_committed_step_applies_it_and_one_with_another_hash_downloads()
    {
        var holding = Positioned.Holding(11, 5, skips: true);
        Assert.True(Assert.IsType<ApplyPending>(Route(holding, View(4, 11, 5, "w2"))).Skip);
        Assert.IsType<Download>(Route(holding, View(4, 11, 6, "w2")));
    }

    [Fact]
    public void A_member_that_applied_another_step_than_the_run_downloads_the_runs() =>
        Assert.IsType<Download>(Route(Positioned, View(4, 10, Hash + 1, "w2")));

    [Fact]
    public void Joiners_begin_at_different_sources_and_never_at_themselves()
    {
        var first = Assert.IsType<Download>(Route(Fresh("w1"), View(4, 10, Hash, "w1", "w2", "w3"))).Sources.Select(s => s.WorkerId);
        var second = Assert.IsType<Download>(Route(Fresh("w0"), View(4, 10, Hash, "w1", "w2", "w3"))).Sources.Select(s => s.WorkerId);
        Assert.Equal(["w3", "w2"], first);
        Assert.Equal(["w1", "w2", "w3"], second);
    }

    [Fact]
    public void Without_sources_a_checkpoint_is_loaded_and_without_one_only_step_0_can_be_reached()
    {
        Assert.Equal("/c", Assert.IsType<LoadCheckpoint>(Route(Fresh("w1"), View(4, 10) with { Checkpoint = "/c" })).Path);
        Assert.IsType<StartOver>(Route(Positioned, View(4, 0)));
        var decision = Assert.IsType<Fail>(MemberMachine.Decide(Fresh("w1"), new GenerationOrder(View(4, 10))));
        Assert.Equal("step 10 is held by no other member and by no checkpoint; this member is at step 0", decision.Reason);
    }

    private static MemberState Fresh(string id) => new() { WorkerId = id, RunId = Run };

    private static BaseRoute? Route(MemberState state, GenerationView view) => MemberMachine.RouteToBase(state, view).Route;

    private static GenerationView View(long generation, long step, ulong hash = Hash, params string[] sources) => new(
        Run, generation, Enumerable.Range(0, 4).Select(i => new MemberInfo($"w{i}", "", new ShardRange(i, i + 1), true)).ToList(), step, hash, sources, "", "");
}
