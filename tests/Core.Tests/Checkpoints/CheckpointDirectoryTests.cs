using AdderNet.Core.Checkpoints;
using AdderNet.Core.Engine;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace AdderNet.Core.Tests.Checkpoints;

public sealed class CheckpointDirectoryTests : IDisposable
{
    private static readonly ModelLayout Layout = new([new ParameterSlot(new TensorSlot("w", [1], 0, 1), ParameterKind.Weight)], []);
    private readonly TemporaryDirectory output = new();

    public void Dispose() => output.Dispose();

    [Fact]
    public void Checkpoints_are_listed_by_step_and_anything_else_is_passed_over()
    {
        Save(1000);
        Save(20);
        Save(123456789);
        output.Write("checkpoints/best/state.safetensors", []);
        output.Write("checkpoints/step-12/state.safetensors", []);
        output.Write("checkpoints/step-0000003x/state.safetensors", []);
        Directory.CreateDirectory(output.File("checkpoints/step-00000040"));
        Assert.Equal([20, 1000, 123456789], CheckpointDirectory.List(output.Path).Select(entry => entry.Step));
        Assert.Equal(output.File("checkpoints/step-00000020/state.safetensors"), CheckpointDirectory.List(output.Path)[0].File);
        Assert.Empty(CheckpointDirectory.List(output.File("nowhere")));
    }

    [Fact]
    public void A_damaged_newest_checkpoint_is_passed_over_for_the_one_before()
    {
        Save(10);
        Save(20);
        var newest = Save(30);
        File.WriteAllBytes(newest, File.ReadAllBytes(newest)[..^1]);
        File.Copy(output.File(CheckpointDirectory.StepFile(10)), output.File(CheckpointDirectory.StepFile(20)), overwrite: true);
        var found = CheckpointDirectory.NewestVerified(output.Path, "mine");
        Assert.Equal(10, found.Entry?.Step);
        Assert.Collection(
            found.Refused,
            first => Assert.Contains("step-00000030/state.safetensors: tensor 'w' ends at", first, StringComparison.Ordinal),
            second => Assert.EndsWith("holds step 10, not the step of its name", second, StringComparison.Ordinal));
    }

    [Fact]
    public void A_checkpoint_of_another_run_is_not_taken()
    {
        Save(10);
        var found = CheckpointDirectory.NewestVerified(output.Path, "other");
        Assert.Null(found.Entry);
        Assert.EndsWith("belongs to run identity mine, not other", Assert.Single(found.Refused), StringComparison.Ordinal);
        Assert.Equal(10, CheckpointDirectory.NewestVerified(output.Path, null).Entry?.Step);
    }

    [Fact]
    public void Retention_keeps_the_newest_and_no_others()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<(PositiveInt Keep, long[] Steps)>(), given =>
        {
            var outdated = CheckpointDirectory.Outdated(given.Steps, given.Keep.Get);
            var kept = given.Steps.Except(outdated).ToList();
            Assert.Equal(Math.Min(given.Keep.Get, given.Steps.Distinct().Count()), kept.Count);
            Assert.All(outdated, old => Assert.All(kept, step => Assert.True(old < step)));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_deleted_checkpoint_is_gone_and_deleting_it_again_is_harmless()
    {
        Save(10);
        Save(20);
        CheckpointDirectory.Delete(output.Path, 10);
        CheckpointDirectory.Delete(output.Path, 10);
        Assert.Equal([20], CheckpointDirectory.List(output.Path).Select(entry => entry.Step));
        Assert.False(Directory.Exists(output.File("checkpoints/step-00000010")));
    }

    private string Save(long step) =>
        CheckpointFile.Save(output.File(CheckpointDirectory.StepFile(step)), Layout, new ReplicaState(step, [1f], [0f], []), "mine", "w1").Path;
}
