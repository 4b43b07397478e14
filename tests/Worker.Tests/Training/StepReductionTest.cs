using AdderNet.Core.Engine;
using AdderNet.Core.Sharding;
using AdderNet.Worker.Exchange;
using AdderNet.Worker.Tests.Exchange;
using Xunit;

namespace AdderNet.Worker.Tests.Training;

public sealed class StepReductionTest : IAsyncLifetime
{
    private const int Shards = 8;
    private const int Length = 1000;

    /// <summary>Elements of a bucket's target size: ten buckets or a few more, so that some lie beyond <see cref="Finished"/>.</summary>
    private const int BucketBytes = 400;
    private const int Finished = 500;
    private static readonly ShardRange[] Ranges = [new(0, 4), new(4, 7), new(7, 8)];
    private readonly CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
    private readonly List<ExchangeMember> members = [];
    private readonly float[][] leaves = ExchangeCase.Leaves(Shards, Length, 21);

    [Fact]
    public async Task Means_of_the_last_layers_are_there_while_the_first_ones_are_still_computed()
    {
        Enter(generation: 1);
        var expected = ExchangeCase.OneMember(leaves);
        var results = await Task.WhenAll(members.Select(async (member, i) =>
        {
            var mean = new float[Length];
            await using var reduction = member.Begin(1, mean);
            await reduction.FollowAsync(async early =>
            {
                var computed = ExchangeCase.Sums(leaves, Ranges[i]);

                // The last member is far ahead: what it sends must not meet sums that are still to be written.
                if (i == Ranges.Length - 1)
                    return computed;
                var parts = computed.Select(s => s with { Sum = Unwritten(), Counts = default }).ToList();
                Write(computed, parts, Finished, Length);
                early.FinalFrom(parts, Finished);

                // An exchange that waited for the whole computation would never let this one end.
                while (!ExchangeCase.Bits(mean[Finished..]).SequenceEqual(ExchangeCase.Bits(expected.Mean[Finished..])))
                    await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, limit.Token);
                Write(computed, parts, 0, Finished);
                early.FinalFrom(parts, 0);
                return [.. parts.Select((p, n) => p with { Counts = computed[n].Counts })];
            });
            return await reduction.FinishAsync(limit.Token);
        }));

        Assert.All(results, r => Assert.Equal(ExchangeCase.Bits(expected.Mean), ExchangeCase.Bits(r.Mean)));
        Assert.All(results, r => Assert.Equal(expected.Counts, r.Counts));
        Assert.Single(results.Select(r => r.Hash).Distinct());
    }

    [Fact]
    public async Task A_computation_that_fails_leaves_no_exchange_behind_and_the_next_generation_works()
    {
        Enter(generation: 1);
        var broken = new InvalidDataException("sample 5");
        await using (var reduction = members[0].Begin(1, new float[Length]))
        {
            Assert.Same(broken, await Assert.ThrowsAsync<InvalidDataException>(() => reduction.FollowAsync(early =>
            {
                early.FinalFrom(ExchangeCase.Sums(leaves, Ranges[0]), Finished);
                throw broken;
            })));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reduction.FinishAsync(limit.Token));
        }

        Enter(generation: 2);
        var results = await Task.WhenAll(members.Select((m, i) => m.ReduceAsync(1, ExchangeCase.Sums(leaves, Ranges[i]), Length, limit.Token)));
        Assert.All(results, r => Assert.Equal(ExchangeCase.Bits(ExchangeCase.OneMember(leaves).Mean), ExchangeCase.Bits(r.Mean)));
    }

    [Fact]
    public async Task A_neighbour_that_dies_during_the_computation_is_named_once_that_is_done()
    {
        Enter(generation: 1);
        await using var reduction = members[0].Begin(1, new float[Length]);
        await reduction.FollowAsync(async early =>
        {
            var sums = ExchangeCase.Sums(leaves, Ranges[0]);
            early.FinalFrom(sums, Finished);
            await members[1].DieAsync();
            return sums;
        });
        Assert.Equal("w1", (await Assert.ThrowsAsync<PeerException>(() => reduction.FinishAsync(limit.Token))).Peer);
    }

    public async Task InitializeAsync()
    {
        for (var i = 0; i < Ranges.Length; i++)
            members.Add(await ExchangeMember.StartAsync($"w{i}"));
    }

    public async Task DisposeAsync()
    {
        foreach (var member in members)
            await member.DisposeAsync();
        limit.Dispose();
    }

    private static float[] Unwritten()
    {
        var buffer = new float[Length];
        buffer.AsSpan().Fill(float.NaN);
        return buffer;
    }

    private static void Write(IReadOnlyList<SubtreeSum> from, IReadOnlyList<SubtreeSum> to, int first, int end)
    {
        for (var n = 0; n < from.Count; n++)
            from[n].Sum[first..end].CopyTo(System.Runtime.InteropServices.MemoryMarshal.AsMemory(to[n].Sum)[first..end]);
    }

    private void Enter(long generation) =>
        members.ForEach(m => m.Enter(ExchangeCase.View(members, Ranges, generation), Shards, Length, BucketBytes));
}
