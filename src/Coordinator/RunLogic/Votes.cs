using System.Collections.Immutable;

namespace AdderNet.Coordinator.RunLogic;

/// <summary>What the votes of a step say.</summary>
internal abstract record VoteResult
{
    /// <summary>Some voters have not voted.</summary>
    internal sealed record Open(int Missing) : VoteResult;

    /// <summary>All voted one hash.</summary>
    internal sealed record Agreed(ulong Hash, StepOutcome Outcome) : VoteResult;

    /// <summary>They differ; the sentence names every member's hash.</summary>
    internal sealed record Differ(string Hashes) : VoteResult;
}

/// <summary>Judges a step's votes: committed when every voter voted the same hash.</summary>
internal static class Votes
{
    public static VoteResult Judge(IEnumerable<GenerationMember> voters, ImmutableSortedDictionary<string, Ballot> ballots)
    {
        var needed = voters.ToArray();
        var missing = needed.Count(v => !ballots.ContainsKey(v.WorkerId));
        if (missing > 0)
            return new VoteResult.Open(missing);
        var first = ballots[needed[0].WorkerId];
        return needed.All(v => ballots[v.WorkerId].Hash == first.Hash)
            ? new VoteResult.Agreed(first.Hash, first.Outcome)
            : new VoteResult.Differ(string.Join(", ", needed.Select(v => $"{v.WorkerId} {ballots[v.WorkerId].Hash:x16}")));
    }

    /// <summary>Names the layer and shard of <see cref="StepOutcome.FirstNonFinite"/>.</summary>
    public static string NameNonFinite(long firstNonFinite, ImmutableArray<string> layers)
    {
        var layer = (firstNonFinite - 1) >> 32;
        var shard = (firstNonFinite - 1) & 0xffffffff;
        var name = layer < layers.Length ? layers[(int)layer] : $"number {layer}";
        return $"layer {name}, shard {shard}";
    }
}
