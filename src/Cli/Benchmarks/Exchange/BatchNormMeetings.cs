using AdderNet.Cli.CommandLine;
using AdderNet.Core.Engine;
using AdderNet.Core.Sharding;
using AdderNet.Worker.Exchange;

namespace AdderNet.Cli.Benchmarks.Exchange;

/// <summary>The small exchanges of global batch norm, one after another as within a step, with nothing computed in between.</summary>
/// <param name="moments">This member's meetings.</param>
/// <param name="shards">S.</param>
/// <param name="range">This member's shards.</param>
internal sealed class BatchNormMeetings(RemoteMomentMerge moments, int shards, ShardRange range)
{
    /// <summary>Meetings of a round, about as many as a step of ResNet-50 has (53 layers, forward and backward).</summary>
    public const int Count = 100;

    /// <summary>Of one layer.</summary>
    public const int Channels = 64;

    private readonly double[] expected = MomentTree.Merge(Leaves(new ShardRange(0, shards)), shards, MomentPass.Forward);
    private readonly IReadOnlyList<MomentNode> mine = MomentTree.Reduce(Leaves(range), MomentPass.Forward);

    /// <summary>Bytes of one member's moments, where its shards are one subtree.</summary>
    public static int Bytes => (1 + (2 * Channels)) * sizeof(double);

    /// <exception cref="CommandFailedException">What came of a meeting has other bits than the shard tree gives.</exception>
    public async Task RunAsync(long step, CancellationToken cancellation)
    {
        moments.BeginStep(step);
        for (var meeting = 0; meeting < Count; meeting++)
        {
            var merged = await moments.MergeAsync(meeting, MomentPass.Forward, mine, cancellation).ConfigureAwait(false);
            if (!merged.AsSpan().SequenceEqual(expected))
                throw new CommandFailedException($"meeting {meeting} of step {step} has other bits than the shard tree");
        }
    }

    private static IEnumerable<MomentNode> Leaves(ShardRange range) => Enumerable.Range(range.First, range.Count).Select(shard =>
        new MomentNode(new TreeNodeId(0, shard), [32, .. Enumerable.Range(0, Channels).Select(c => 1.0 / (3 + c + shard)), .. Enumerable.Range(0, Channels).Select(c => 0.1 * (c + shard))]));
}
