using System.Collections.Immutable;
using AdderNet.Core.Sharding;

namespace AdderNet.Coordinator.RunLogic;

/// <summary>What a worker says of itself when it says Hello.</summary>
internal sealed record WorkerInfo(
    string Build, long NumericsVersion, string Engine, string ProbeHash, string Address, int Threads, string Host, long ProcessId);

/// <summary>What a member holds: from it a coordinator that forgot everything in memory finds the recovery base.</summary>
internal sealed record MemberReport(
    long AppliedStep, ulong AppliedHash, StepOutcome? AppliedOutcome, string StateHash, long PendingStep, ulong PendingHash)
{
    /// <summary>A replica with initial weights.</summary>
    public static MemberReport Fresh { get; } = new(0, 0, null, "", 0, 0);
}

/// <summary>All that the coordinator knows of one worker of the run.</summary>
internal sealed record MemberState
{
    public required string WorkerId { get; init; }

    /// <summary>The open session; messages of an earlier one are dropped.</summary>
    public required long Session { get; init; }

    public required WorkerInfo Info { get; init; }

    /// <summary>Order of joining: it decides who computes and who is a spare.</summary>
    public required int Joined { get; init; }

    /// <summary>Null until the worker is prepared.</summary>
    public MemberReport? Report { get; init; }

    /// <summary>When its present session was welcomed.</summary>
    public TimeSpan WelcomedAt { get; init; }

    /// <summary>Any message proves the machine alive.</summary>
    public TimeSpan LastHeard { get; init; }

    public long Progress { get; init; }

    public TimeSpan ProgressAt { get; init; }

    /// <summary>Only waits for others: no compute deadline runs.</summary>
    public bool Waits { get; init; }

    /// <summary>Voters from whom nothing has come to it for a lease, though it asked.</summary>
    public ImmutableArray<string> Silent { get; init; } = [];

    /// <summary>When its session stream closed; null while it is open.</summary>
    public TimeSpan? ClosedAt { get; init; }

    /// <summary>Measured time of one shard, smoothed; null until it has computed one.</summary>
    public double? SecondsPerShard { get; init; }

    /// <summary>Slowest shard seen, in seconds, from which the compute deadline follows.</summary>
    public double SlowestShard { get; init; }

    /// <summary>It asked to leave.</summary>
    public bool Leaves { get; init; }

    public string LeaveReason { get; init; } = "";

    /// <summary>As an observer of the present generation: it holds every step up to this one; 0: it is catching up.</summary>
    public long FollowedStep { get; init; }

    /// <summary>Hash of <see cref="FollowedStep"/>.</summary>
    public ulong FollowedHash { get; init; }

    /// <summary>It has observed since it last reported: what is known of it is the least that it holds.</summary>
    public bool MayBeFurther { get; init; }

    /// <summary>As an observer it could not keep up, or came back: it starts over in a generation from this time on.</summary>
    public TimeSpan? StartsOverAt { get; init; }

    /// <summary>How often it could not keep up.</summary>
    public int FailedFollows { get; init; }

    public bool IsPrepared => Report is not null;

    public long AppliedStep => Report?.AppliedStep ?? 0;
}

/// <summary>A member as a generation lists it.</summary>
/// <param name="WorkerId">Which worker.</param>
/// <param name="Address">Where others reach it.</param>
/// <param name="Range">Its shards; empty for a hot spare.</param>
/// <param name="Votes">False for observers.</param>
internal sealed record GenerationMember(string WorkerId, string Address, ShardRange Range, bool Votes);
