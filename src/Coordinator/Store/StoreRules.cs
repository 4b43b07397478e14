namespace AdderNet.Coordinator.Store;

/// <summary>The lease of a store as it is written down.</summary>
/// <param name="Token">Rises with every holder.</param>
/// <param name="Owner">Who has it; empty: given back.</param>
/// <param name="ExpiresMs">When it ends unless it is renewed, in milliseconds of the Unix epoch.</param>
internal sealed record HeldLease(long Token, string Owner, long ExpiresMs);

/// <summary>Who may take a store, write to it and make a generation: the same whatever keeps the rows.</summary>
internal static class StoreRules
{
    /// <summary>Whether the lease is free: given back, run out, or its holder known to have ended.</summary>
    public static bool IsFree(HeldLease? held, long nowMs, Func<string, bool> isGone) =>
        held is null || held.Owner.Length == 0 || held.ExpiresMs <= nowMs || isGone(held.Owner);

    /// <summary>Whether the lease lives and is shared with others of the same owner: one more of them holds it by the same token.</summary>
    public static bool Joins(HeldLease? held, LeaseOwner owner, long nowMs) =>
        owner.IsShared && held is not null && held.Owner == owner.Name && held.ExpiresMs > nowMs;

    /// <summary>The fencing token of the next holder.</summary>
    public static long NextToken(HeldLease? held) => (held?.Token ?? 0) + 1;

    /// <summary>Every write is made under the highest token or not at all.</summary>
    /// <param name="highest">The token that the store holds; null: nobody ever took it.</param>
    /// <param name="token">The writer's; 0: it never took the lease.</param>
    /// <param name="what">Names the store, or the run in it.</param>
    /// <exception cref="FencingLostException">Another coordinator holds the store by now.</exception>
    public static void RequireHolder(long? highest, long token, string what)
    {
        if (token == 0 || highest != token)
            throw new FencingLostException($"another coordinator holds {what} now (its fencing token is {highest ?? 0}, ours was {token})");
    }

    /// <summary>A generation is made only as the successor of the highest: of two that propose one number, one gets it.</summary>
    public static bool MayMake(long? highest, long number) => number == (highest ?? 0) + 1;
}
