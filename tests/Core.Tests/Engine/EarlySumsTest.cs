using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Core.Sharding;
using Xunit;
using static AdderNet.Core.Tests.Engine.TrainingBench;

namespace AdderNet.Core.Tests.Engine;

public sealed class EarlySumsTest
{
    private const int Shards = 4;

    [Theory]
    [InlineData(ModelName.LeNet5, Normalization.Shard, 0, 4, 1)]
    [InlineData(ModelName.LeNet5, Normalization.Global, 0, 4, 2)]
    [InlineData(ModelName.LeNet5, Normalization.Shard, 1, 4, 2)]
    [InlineData(ModelName.ResNet20, Normalization.Shard, 0, 3, 2)]
    [InlineData(ModelName.ResNet20, Normalization.Global, 0, 4, 1)]
    [InlineData(ModelName.ResNet20, Normalization.Shard, 3, 4, 1)]
    public async Task Every_element_is_announced_once_after_its_last_write_and_listening_changes_no_bit(
        ModelName name, Normalization normalization, int first, int end, int threads)
    {
        var input = name == ModelName.LeNet5 ? Mnist : new InputShape(32, 32, 3);
        var description = LeNet(normalization, Shards, global: 8) with { Model = new ModelOptions { Name = name, Classes = 10 } };
        var range = new ShardRange(first, end);
        using var silent = Replica(description, threads: 1, input);
        using var heard = Replica(description, threads, input);
        for (var step = 0; step < 2; step++)
        {
            var early = new Announcements();
            var expected = await SumsAsync(silent, null);
            var sums = await SumsAsync(heard, early);

            Assert.Equal(expected.Select(s => (s.Node, s.Counts)), sums.Select(s => (s.Node, s.Counts)));
            Assert.Equal(Bits(expected), Bits(sums));
            Assert.Equal(Bits(sums), early.Bits(heard.Layout.ReductionLength));
            Assert.All(early.Heard, nodes => Assert.Equal(sums.Select(s => s.Node), nodes));
            Assert.Equal(heard.Layout.ParameterLength, early.From[0]);
            Assert.Equal(0, early.From[^1]);
            Assert.Equal(early.From.Order().Distinct().Reverse(), early.From);

            // No layer waits for another: each announcement is one layer's parameters.
            Assert.Equal(heard.Layout.Parameters.Select(p => p.Tensor.Name[..p.Tensor.Name.LastIndexOf('.')]).Distinct().Count(), early.From.Count - 1);
            silent.Apply(Mean(expected), skip: false);
            heard.Apply(Mean(sums), skip: false);
        }

        async Task<IReadOnlyList<SubtreeSum>> SumsAsync(ManagedReplica replica, IEarlySums? early) => await replica.ComputeAsync(
            range, new DrawnBatches(description, input), new LocalMomentMerge(Shards), static () => { }, early, CancellationToken.None);

        float[] Mean(IReadOnlyList<SubtreeSum> sums) => sums[0].Sum.ToArray();
    }

    [Fact]
    public async Task An_empty_range_announces_nothing()
    {
        using var replica = Replica(LeNet());
        var early = new Announcements();
        await replica.ComputeAsync(
            new ShardRange(2, 2), new DrawnBatches(LeNet(), Mnist), new LocalMomentMerge(Shards), static () => { }, early, CancellationToken.None);
        Assert.Empty(early.From);
    }

    private static int[] Bits(IEnumerable<SubtreeSum> sums) => [.. sums.SelectMany(s => Array.ConvertAll(s.Sum.ToArray(), BitConverter.SingleToInt32Bits))];

    /// <summary>Copies what is announced at the moment when it is: a later write would make it differ from the result.</summary>
    private sealed class Announcements : IEarlySums
    {
        private readonly List<float[][]> parts = [];

        public List<int> From { get; } = [];

        public List<IReadOnlyList<TreeNodeId>> Heard { get; } = [];

        public void FinalFrom(IReadOnlyList<SubtreeSum> sums, int from)
        {
            var end = From.Count == 0 ? sums[0].Sum.Length : From[^1];
            parts.Add([.. sums.Select(s => s.Sum[from..end].ToArray())]);
            From.Add(from);
            Heard.Add([.. sums.Select(s => s.Node)]);
        }

        public int[] Bits(int length)
        {
            var all = Enumerable.Range(0, Heard[0].Count).Select(node => parts.AsEnumerable().Reverse().SelectMany(p => p[node]).ToArray()).ToList();
            Assert.All(all, sum => Assert.Equal(length, sum.Length));
            return [.. all.SelectMany(sum => Array.ConvertAll(sum, BitConverter.SingleToInt32Bits))];
        }
    }
}
