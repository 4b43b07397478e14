namespace AdderNet.Simulation.Faults;

/// <summary>What can go wrong, or be changed, on the way.</summary>
internal enum FaultKind
{
    KillWorker,
    VanishWorker,
    StopWorker,
    HangWorker,
    SlowWorker,
    LeaveWorker,
    JoinWorker,
    FailApply,
    FlipBits,
    FlipUnheard,
    SpoilBase,
    LateVote,
    RepeatReport,
    DieUngranted,
    DieUnwritten,
    WorkAlone,
    KillVoters,
    KillCoordinator,
    VanishCoordinator,
    StopCoordinator,
    RivalCoordinator,
    JumpClock,
    KillEverything,
    BreakSession,
    CutWorker,
    CutWorkerOneWay,
    CutPeers,
    CutPeersOneWay,
    FailStore,
    CutStore,
    FullDisk,
    CorruptCheckpoint,
    RotUnnoticed,
}

/// <summary>One planned fault.</summary>
/// <param name="Kind">What.</param>
/// <param name="At">When, unless <paramref name="Where"/> says.</param>
/// <param name="Where">Strikes at the <paramref name="Nth"/> passing of this moment; null: at a time.</param>
/// <param name="Nth">Counted from 1.</param>
/// <param name="Length">How long it lasts, for those that end.</param>
internal sealed record Fault(FaultKind Kind, TimeSpan At, Site? Where, int Nth, TimeSpan Length);

/// <summary>The faults of one seed.</summary>
internal sealed record FaultSchedule(IReadOnlyList<Fault> Faults, TimeSpan CalmAt)
{
    private static readonly Site[] Moments =
    [
        Site.Welcome, Site.RecordFacts, Site.ProposeGeneration, Site.CutHistory, Site.GenerationStarted, Site.GenerationStarted, Site.StartStep,
        Site.StartStep, Site.WriteStepLine, Site.Commit, Site.Commit, Site.Commit, Site.Evaluate, Site.RecordEvaluation, Site.WriteEvaluationLine,
        Site.OrderCheckpoint, Site.VerifyCheckpoint, Site.RecordCheckpoint, Site.DeleteCheckpoint, Site.RunEnded, Site.Report, Site.Enter,
        Site.Download, Site.Serve, Site.Compute, Site.Exchange, Site.Vote, Site.Vote, Site.Apply, Site.Apply, Site.EvaluateBlocks,
        Site.WriteFile, Site.TakeMean,
    ];

    private static readonly FaultKind[] Kinds =
    [
        FaultKind.KillWorker, FaultKind.KillWorker, FaultKind.KillWorker, FaultKind.VanishWorker, FaultKind.StopWorker, FaultKind.StopWorker,
        FaultKind.HangWorker, FaultKind.SlowWorker, FaultKind.LeaveWorker, FaultKind.LeaveWorker, FaultKind.JoinWorker, FaultKind.JoinWorker,
        FaultKind.JoinWorker, FaultKind.FailApply, FaultKind.FlipBits, FaultKind.FlipUnheard, FaultKind.SpoilBase, FaultKind.LateVote, FaultKind.RepeatReport, FaultKind.DieUngranted, FaultKind.DieUnwritten, FaultKind.WorkAlone, FaultKind.KillVoters, FaultKind.KillCoordinator, FaultKind.KillCoordinator,
        FaultKind.KillCoordinator, FaultKind.VanishCoordinator, FaultKind.StopCoordinator, FaultKind.RivalCoordinator,
        FaultKind.RivalCoordinator, FaultKind.JumpClock, FaultKind.KillEverything, FaultKind.BreakSession, FaultKind.BreakSession,
        FaultKind.CutWorker, FaultKind.CutWorkerOneWay, FaultKind.CutPeers, FaultKind.CutPeersOneWay, FaultKind.FailStore,
        FaultKind.CutStore, FaultKind.FullDisk, FaultKind.CorruptCheckpoint, FaultKind.RotUnnoticed,
    ];

    /// <summary>Some faults only matter at one moment: a file rots before it is looked at, voters die while somebody observes.</summary>
    private static Site? Where(FaultKind kind, Site moment, bool scripted) => kind switch
    {
        FaultKind.KillVoters => Site.TakeMean,
        FaultKind.DieUngranted => Site.ProposeGeneration,
        FaultKind.DieUnwritten => Site.WriteEvaluationLine,
        FaultKind.CorruptCheckpoint when scripted => Site.VerifyCheckpoint,
        _ => scripted ? moment : null,
    };

    /// <summary>At which passing of the moment it strikes: few runs pass some of them more than three times.</summary>
    private static int Nth(Site? where, Draws draws) => where switch
    {
        null => 0,
        Site.TakeMean or Site.RecordFacts or Site.ProposeGeneration or Site.CutHistory or Site.Evaluate or Site.RecordEvaluation or Site.WriteEvaluationLine
            or Site.VerifyCheckpoint or Site.RecordCheckpoint or Site.DeleteCheckpoint or Site.RunEnded => 1 + draws.Below(3),
        _ => 1 + (draws.OneIn(3) ? draws.Below(60) : draws.Below(8)),
    };

    /// <summary>Draws a seed's faults: mostly a handful, sometimes none, sometimes a storm; half of them at scripted moments.</summary>
    public static FaultSchedule Draw(long seed)
    {
        var draws = new Draws(seed, DrawStream.Faults);
        var count = draws.Below(8) switch { 0 => 0, 1 => 1, 2 => 2, 7 => draws.Between(8, 16), _ => draws.Between(2, 7) };
        var calm = draws.Milliseconds(3000, 15_000);
        var faults = new List<Fault>(count);
        for (var i = 0; i < count; i++)
        {
            var scripted = draws.OneIn(2);
            var kind = draws.Of(Kinds);
            var moment = draws.Of(Moments);
            faults.Add(new Fault(
                kind,
                draws.Between(TimeSpan.FromMilliseconds(100), calm),
                Where(kind, moment, scripted),
                Nth(Where(kind, moment, scripted), draws),
                draws.OneIn(3) ? draws.Milliseconds(2000, 9000) : draws.Milliseconds(10, 2000)));
        }

        // Somebody has to observe for the voters alone to die.
        if (faults.Exists(f => f.Kind == FaultKind.KillVoters))
            faults.Add(new Fault(FaultKind.JoinWorker, draws.Milliseconds(500, 2500), null, 0, default));
        return new FaultSchedule(faults, calm);
    }
}
