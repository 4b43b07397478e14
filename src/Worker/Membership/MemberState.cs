namespace AdderNet.Worker.Membership;

/// <summary>All that decisions about orders depend on. Immutable.</summary>
internal sealed record MemberState
{
    /// <summary>This worker.</summary>
    public required string WorkerId { get; init; }

    /// <summary>The run it was welcomed into.</summary>
    public required string RunId { get; init; }

    /// <summary>The highest generation seen; 0: none.</summary>
    public long Generation { get; init; }

    /// <summary>This worker's part in the generation.</summary>
    public MemberInfo? Me { get; init; }

    /// <summary>Whether it reached the generation's base.</summary>
    public bool InPosition { get; init; }

    /// <summary>The last applied step.</summary>
    public long AppliedStep { get; init; }

    /// <summary>The hash voted for it; 0 when unknown (initial weights, a checkpoint, a download).</summary>
    public ulong AppliedHash { get; init; }

    /// <summary>A reduced step that is held unapplied, or 0.</summary>
    public long PendingStep { get; init; }

    /// <summary>Its hash.</summary>
    public ulong PendingHash { get; init; }

    /// <summary>Whether its commit leaves weights as they are (a non-finite value, under <c>on_nonfinite: skip</c>).</summary>
    public bool PendingSkips { get; init; }

    /// <summary>A generation was announced; the base is not reached yet.</summary>
    public MemberState Entering(GenerationView view) =>
        this with { Generation = view.Generation, Me = view.Find(WorkerId), InPosition = false };

    /// <summary>At the base, by whatever route; a step held beyond it is void.</summary>
    public MemberState Positioned(long step, ulong hash) => this with
    {
        InPosition = true,
        AppliedStep = step,
        AppliedHash = hash,
        PendingStep = 0,
        PendingHash = 0,
        PendingSkips = false,
    };

    /// <summary>A step begins: its buffers are overwritten, so nothing is held.</summary>
    public MemberState Computing() => this with { PendingStep = 0, PendingHash = 0, PendingSkips = false };

    /// <summary>A reduced step is held until its commit.</summary>
    public MemberState Holding(long step, ulong hash, bool skips) => this with { PendingStep = step, PendingHash = hash, PendingSkips = skips };

    /// <summary>The held step was applied.</summary>
    public MemberState Applied() => this with
    {
        AppliedStep = PendingStep,
        AppliedHash = PendingHash,
        PendingStep = 0,
        PendingHash = 0,
        PendingSkips = false,
    };
}
