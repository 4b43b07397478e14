using AdderNet.Core.Sharding;
using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Exchange;

/// <summary>
/// The members of a generation in groups of neighbours in shard order, the same on all members. Every group has one holder of
/// each bucket: its owner, in the owner's group; elsewhere a deputy, who adds up what its group has of the bucket for the owner
/// and hands the owner's mean on. So a bucket crosses between groups once each way, whatever the size of a group. Which members
/// form a group changes no bit: the shard tree decides what may be added within it.
/// </summary>
internal sealed class ExchangeGroups
{
    private readonly MemberInfo[][] groups;
    private readonly Dictionary<MemberInfo, (int Group, int Place)> places = [];

    /// <param name="members">All members of the generation.</param>
    /// <param name="size">Members of a group at most, as <c>exchange.group_size</c>; 0: all are one group.</param>
    public ExchangeGroups(IReadOnlyList<MemberInfo> members, int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        var computing = members.Where(m => m.Computes).OrderBy(m => m.Range.First).ToArray();

        // A group of one has nothing to add up: then all are one group too. Otherwise as even as can be.
        var count = size <= 1 ? 1 : (computing.Length + size - 1) / size;
        groups = [.. Enumerable.Range(0, count).Select(i => computing[(computing.Length * i / count)..(computing.Length * (i + 1) / count)])];
        for (var group = 0; group < count; group++)
        {
            for (var place = 0; place < groups[group].Length; place++)
                places[groups[group][place]] = (group, place);
        }

        // Those who only take means take them all over, so that no group serves all of them.
        var others = members.Where(m => !m.Computes).ToArray();
        for (var i = 0; i < others.Length; i++)
            places[others[i]] = (i % count, -1);
    }

    /// <summary>Number of groups.</summary>
    public int Count => groups.Length;

    /// <summary>The members of a group that compute, in shard order.</summary>
    public IReadOnlyList<MemberInfo> Members(int group) => groups[group];

    /// <summary>The group that a member belongs to; for one that computes nothing, the group whose holders it takes means from.</summary>
    public int GroupOf(MemberInfo member) => places[member].Group;

    /// <summary>The shards of a group.</summary>
    public ShardRange Range(int group) => new(groups[group][0].Range.First, groups[group][^1].Range.End);

    /// <summary>The member of a group that holds a bucket.</summary>
    public MemberInfo Holder(Bucket bucket, int group)
    {
        var (home, place) = places[bucket.Owner];
        return group == home ? bucket.Owner : groups[group][place % groups[group].Length];
    }
}
