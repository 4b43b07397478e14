using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Exchange;

/// <summary>A contiguous piece of the reduction vector that one member finishes.</summary>
internal readonly record struct Bucket(int Index, int Offset, int Length, MemberInfo Owner)
{
    /// <summary>
    /// Whether counts cross with it. They are known when a step's last gradient is, so they go with the bucket that is finished
    /// last: the one of the first layers.
    /// </summary>
    public bool CarriesCounts => Index == 0;
}

/// <summary>
/// Cuts the reduction vector into buckets of about the wanted size, the same on all members, and gives them to the members
/// that compute, evenly. Where the cuts lie changes no bit: elements never meet.
/// </summary>
internal static class BucketPlan
{
    /// <summary>
    /// Buckets of a vector that is small for the wanted size: a bucket leaves when its first layer's gradient is finished, so of
    /// a few large ones most would leave after the backward pass.
    /// </summary>
    private const int Fewest = 8;

    /// <summary>Bytes under which a bucket is not cut for that: then what a message costs outweighs its bytes.</summary>
    private const int SmallestBytes = 64 << 10;

    /// <param name="length">Elements of the reduction vector.</param>
    /// <param name="bucketBytes">Target size.</param>
    /// <param name="members">All members; those without shards own nothing.</param>
    public static IReadOnlyList<Bucket> Cut(int length, long bucketBytes, IReadOnlyList<MemberInfo> members)
    {
        var owners = members.Where(m => m.Computes).ToList();
        if (owners.Count == 0)
            throw new ArgumentException("No member of the generation computes.", nameof(members));
        var count = Count(length, bucketBytes, owners.Count);
        var buckets = new Bucket[count];
        for (var i = 0; i < count; i++)
        {
            var first = (int)((long)length * i / count);
            var end = (int)((long)length * (i + 1) / count);
            buckets[i] = new Bucket(i, first, end - first, owners[i % owners.Count]);
        }

        return buckets;
    }

    /// <summary>How many buckets there are, as many for each owner unless there are fewer elements.</summary>
    /// <param name="length">Elements of the reduction vector.</param>
    /// <param name="bucketBytes">Target size.</param>
    /// <param name="owners">Members that compute, at least one.</param>
    public static int Count(long length, long bucketBytes, int owners)
    {
        var target = Math.Max(1, bucketBytes / sizeof(float));
        var wanted = Math.Max((length + target - 1) / target, Math.Min(Fewest, length * sizeof(float) / SmallestBytes));
        return (int)Math.Clamp((wanted + owners - 1) / owners * owners, 1, length);
    }
}
