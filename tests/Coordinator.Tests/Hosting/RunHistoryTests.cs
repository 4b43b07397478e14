using AdderNet.Coordinator.Hosting;
using AdderNet.Coordinator.Store;
using Xunit;

namespace AdderNet.Coordinator.Tests.Hosting;

public sealed class RunHistoryTests
{
    [Fact]
    public void Stretches_of_commits_stand_between_the_generations_that_made_them_and_before_what_came_at_a_later_step()
    {
        HistoryEntry[] entries = [At("submitted", 0), At("generation", 0), At("checkpoint", 2), At("evicted", 3), At("generation", 3), At("completed", 5)];
        var merged = RunHistory.Merge(entries, [1, 2], [(1, 1, 0.9), (2, 1, 0.8), (3, 1, 0.7), (4, 2, 0.6), (5, 2, 0.5)]);
        Assert.Equal(
            ["submitted", "generation", "steps 1 to 2 committed, generation 1, loss 0.8000", "checkpoint", "step 3 committed, generation 1, loss 0.7000", "evicted",
                "generation", "steps 4 to 5 committed, generation 2, loss 0.5000", "completed"],
            merged.Select(e => e.Text));
    }

    [Fact]
    public void A_step_that_was_redone_is_shown_in_the_generation_whose_commit_counts()
    {
        HistoryEntry[] entries = [At("generation", 0), At("evaluation", 2), At("generation", 1)];
        var merged = RunHistory.Merge(entries, [1, 2], [(1, 1, 0.9), (2, 2, 0.8)]);
        Assert.Equal(
            ["generation", "step 1 committed, generation 1, loss 0.9000", "evaluation", "generation", "step 2 committed, generation 2, loss 0.8000"],
            merged.Select(e => e.Text));
    }

    private static HistoryEntry At(string kind, long step) => new(DateTimeOffset.UnixEpoch, kind, step, kind);
}
