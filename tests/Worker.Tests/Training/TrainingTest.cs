using AdderNet.Core.Sharding;
using AdderNet.Protos.V1;
using Xunit;

namespace AdderNet.Worker.Tests.Training;

public class TrainingTest
{
    [Theory]
    [InlineData("shard")]
    [InlineData("global")]
    public async Task One_two_three_and_five_workers_in_groups_or_not_end_with_the_same_weights(string normalization)
    {
        var description = Cluster.Description().Replace("shards: 8", $"shards: 8, normalization: {normalization}", StringComparison.Ordinal);
        var hashes = new List<string>();
        var bytes = new List<byte[]>();
        foreach (var (workers, groupSize) in new[] { (1, 0), (2, 0), (3, 2), (5, 2) })
        {
            await using var cluster = await Cluster.StartAsync(workers, $"{description}exchange: {{group_size: {groupSize}}}\n");
            await cluster.BeginGenerationAsync(Cluster.Even(workers));
            await cluster.StepsAsync(4);
            var file = await cluster.SaveAsync("final.safetensors", weightsOnly: true, member: workers - 1);
            hashes.Add(file.WeightsHash);
            bytes.Add(await File.ReadAllBytesAsync(file.Path));
            Assert.Equal(4L * Cluster.Shards, cluster.Votes.Sum(v => v.ShardsComputed));
            Assert.All(cluster.Votes, v => Assert.True(workers == 1 || v.GradientBytesSent > 0));
            await cluster.EndAsync();
            Assert.All(await Task.WhenAll(cluster.Exits), code => Assert.Equal(0, code));
        }

        Assert.Single(hashes.Distinct());
        Assert.All(bytes, b => Assert.Equal(bytes[0], b));
    }

    [Fact]
    public async Task A_member_that_missed_a_commit_applies_its_pending_step_and_a_joiner_downloads()
    {
        await using var calm = await Cluster.StartAsync(1);
        await calm.BeginGenerationAsync(Cluster.Even(1));
        await calm.StepsAsync(4);
        var expected = (await calm.SaveAsync("final.safetensors", true)).WeightsHash;

        await using var cluster = await Cluster.StartAsync(2);
        await cluster.BeginGenerationAsync(Cluster.Even(2));
        await cluster.StepsAsync(1);
        var vote = await cluster.VoteAsync();
        await cluster.CommitAsync(vote, 0);
        await cluster.AddAsync();
        var hashes = await cluster.BeginGenerationAsync(Cluster.Even(3), "", "w0");
        Assert.Single(hashes.Distinct());
        await cluster.StepsAsync(2);
        Assert.Equal(expected, (await cluster.SaveAsync("final.safetensors", true, member: 2)).WeightsHash);
    }

    [Fact]
    public async Task A_generation_in_the_middle_of_a_step_takes_the_step_up_again()
    {
        await using var calm = await Cluster.StartAsync(1);
        await calm.BeginGenerationAsync(Cluster.Even(1));
        await calm.StepsAsync(3);
        var expected = (await calm.SaveAsync("final.safetensors", true)).WeightsHash;

        await using var cluster = await Cluster.StartAsync(2);
        await cluster.BeginGenerationAsync(Cluster.Even(2));
        await cluster.StepsAsync(2);

        // Only one member is told to compute: it waits for its neighbour's sums until the new generation ends the wait.
        await cluster.Members[0].SendAsync(cluster.Generation, 3, o => o.StartStep = new StartStep());
        await cluster.BeginGenerationAsync([new ShardRange(0, 7), new ShardRange(7, 8)]);
        await cluster.StepsAsync(1);
        Assert.Equal(expected, (await cluster.SaveAsync("final.safetensors", true)).WeightsHash);
    }

    [Fact]
    public async Task A_run_goes_on_from_a_checkpoint_with_the_same_bits()
    {
        await using var first = await Cluster.StartAsync(2);
        await first.BeginGenerationAsync(Cluster.Even(2));
        await first.StepsAsync(2);
        var checkpoint = await first.SaveAsync("checkpoints/step-00000002/state.safetensors");
        await first.StepsAsync(2);
        var expected = (await first.SaveAsync("final.safetensors", true)).WeightsHash;

        await using var second = await Cluster.StartAsync(1);
        await second.ResumeAsync(2, first.HashOf(2), checkpoint.Path);
        await second.StepsAsync(2);
        Assert.Equal(expected, (await second.SaveAsync("final.safetensors", true)).WeightsHash);
    }

    [Fact]
    public async Task Evaluation_blocks_do_not_depend_on_who_evaluates_them()
    {
        await using var cluster = await Cluster.StartAsync(2);
        await cluster.BeginGenerationAsync(Cluster.Even(2));
        await cluster.StepsAsync(2);
        var parts = new List<List<EvaluationBlock>>();
        foreach (var (member, first, end) in new[] { (0, 0, 4u), (1, 0, 2u), (0, 2, 4u) })
        {
            await cluster.Members[member].SendAsync(cluster.Generation, cluster.Step, o => o.Evaluate = new Evaluate { BlockSize = 64, FirstBlock = (uint)first, EndBlock = end });
            var part = await cluster.Members[member].ExpectAsync(WorkerMessage.BodyOneofCase.Evaluation, cluster.Limit);
            parts.Add([.. part.Evaluation.Blocks]);
        }

        Assert.Equal(parts[0], parts[1].Concat(parts[2]));
        Assert.Equal([64UL, 64UL, 64UL, 64UL], parts[0].Select(b => b.Samples));
        Assert.All(parts[0], b => Assert.InRange(b.Top5, b.Top1, 64UL));
    }

    [Fact]
    public async Task A_full_or_unwritable_directory_is_reported_and_training_goes_on()
    {
        await using var cluster = await Cluster.StartAsync(1);
        await cluster.BeginGenerationAsync(Cluster.Even(1));
        await cluster.StepsAsync(1);
        await File.WriteAllTextAsync(Path.Combine(cluster.Output, "taken"), "a file where a directory should be");
        await cluster.Members[0].SendAsync(1, 1, o => o.WriteCheckpoint = new WriteCheckpoint { Directory = cluster.Output, File = "taken/state.safetensors" });
        var failed = await cluster.Members[0].ExpectAsync(WorkerMessage.BodyOneofCase.FileFailed, cluster.Limit);
        Assert.Equal("taken/state.safetensors", failed.FileFailed.File);
        Assert.Contains("taken", failed.FileFailed.Reason, StringComparison.Ordinal);
        await cluster.StepsAsync(1);
    }

    [Fact]
    public async Task A_peer_that_dies_in_the_exchange_is_named_in_a_failed_phase()
    {
        await using var cluster = await Cluster.StartAsync(1);
        using var die = new CancellationTokenSource();
        await cluster.AddAsync(die.Token);
        await cluster.BeginGenerationAsync(Cluster.Even(2));
        await cluster.Members[0].SendAsync(1, 1, o => o.StartStep = new StartStep());
        await die.CancelAsync();
        var failed = await cluster.Members[0].ExpectAsync(WorkerMessage.BodyOneofCase.PhaseFailed, cluster.Limit);
        Assert.Equal("step", failed.PhaseFailed.Phase);
        Assert.Equal("w1", failed.PhaseFailed.Peer);
        Assert.Equal(0, await cluster.Exits[1]);
    }
}
