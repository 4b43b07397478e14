using System.Collections.Immutable;
using AdderNet.Coordinator.Output;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Coordinator.Store;
using AdderNet.Core.Configuration;
using Microsoft.Extensions.Logging;

namespace AdderNet.Coordinator.Hosting;

/// <summary>A run cannot be taken in, found or controlled; the message is one line for people.</summary>
internal sealed class RunRefusedException(RefusalKind kind, string message) : Exception(message)
{
    public RefusalKind Kind { get; } = kind;
}

internal enum RefusalKind
{
    Invalid,
    NotFound,
    Precondition,
}

/// <summary>The runs of this coordinator: those it drives, and those the store remembers.</summary>
internal sealed class RunCatalog(IRunStore store, StoreLease lease, SessionTable sessions, TimeProvider time, ILogger log) : IAsyncDisposable
{
    private readonly SemaphoreSlim turn = new(1, 1);
    private readonly SortedDictionary<long, RunActor> actors = []; // by order of being taken up
    private readonly Lock gate = new();
    private readonly RunLoader loader = new(store, log);
    private long taken;

    public IReadOnlyList<RunActor> Actors
    {
        get
        {
            lock (gate)
                return [.. actors.Values];
        }
    }

    /// <summary>Takes up every run that was under way.</summary>
    public async Task LoadAsync(CancellationToken cancellation)
    {
        foreach (var run in await store.ListRunsAsync(cancellation).ConfigureAwait(false))
        {
            if (!run.IsActive)
                continue;
            try
            {
                await TakeUpAsync(run, underWay: true, cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // One run whose directory is gone must not keep the others from going on; submitted again it is taken up.
                CoordinatorLog.ActionFailed(log, run.RunId, "taking it up", e.Message);
            }
        }
    }

    public RunActor? Find(string runId) => Actors.LastOrDefault(a => a.State.Plan.RunId == runId);

    /// <summary>The run of an id, or with an empty id the newest; driven or ended.</summary>
    /// <exception cref="RunRefusedException">There is none.</exception>
    public async Task<RunState> StateAsync(string runId, CancellationToken cancellation)
    {
        if (runId.Length > 0 && Find(runId) is { } driven)
            return driven.State;
        var runs = await store.ListRunsAsync(cancellation).ConfigureAwait(false);
        var run = runId.Length == 0 ? runs.LastOrDefault() : runs.FirstOrDefault(r => r.RunId == runId);
        if (run is null)
            throw new RunRefusedException(RefusalKind.NotFound, Unknown(runId, runs));
        return Find(run.RunId)?.State ?? await loader.ReadEndedAsync(run, cancellation).ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<RunState>> StatesAsync(CancellationToken cancellation)
    {
        var states = new List<RunState>();
        foreach (var run in await store.ListRunsAsync(cancellation).ConfigureAwait(false))
            states.Add(Find(run.RunId)?.State ?? await loader.ReadEndedAsync(run, cancellation).ConfigureAwait(false));
        return states;
    }

    /// <summary>What has happened to a run.</summary>
    /// <exception cref="RunRefusedException">There is none of this id.</exception>
    public async Task<IEnumerable<HistoryEntry>> HistoryAsync(string runId, CancellationToken cancellation)
    {
        var plan = (await StateAsync(runId, cancellation).ConfigureAwait(false)).Plan;
        var entries = await store.ReadHistoryAsync(plan.RunId, cancellation).ConfigureAwait(false);
        var records = await store.ReadRecordsAsync(plan.RunId, cancellation).ConfigureAwait(false);
        return RunHistory.Merge(
            entries, [.. records.Generations.Select(g => g.Number)], MetricsFile.ReadCommits(Path.Combine(plan.Output, RunDirectory.MetricsFile)));
    }

    /// <summary>Takes a run in: a new one, or one that its output directory already holds.</summary>
    /// <returns>Its id, and whether the directory held it.</returns>
    /// <exception cref="RunRefusedException">The description is wrong, or the directory holds a run of another identity.</exception>
    public async Task<(string RunId, bool Resumed)> SubmitAsync(
        string text, string initialWeights, int expectedWorkers, CancellationToken cancellation)
    {
        var description = Resolve(text);
        var output = description.Checkpoint.Path!;
        var run = new NewRun(
            NameStem(description), RunDescriptionFile.Write(description),
            initialWeights.Length == 0 ? "" : Path.GetFullPath(initialWeights), expectedWorkers, output);

        await turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var stored = (await store.ListRunsAsync(cancellation).ConfigureAwait(false)).FirstOrDefault(r => r.Output == output);
            return stored is null
                ? await CreateAsync(run, description, cancellation).ConfigureAwait(false)
                : await ResumeAsync(stored, run, description, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RunRefusedException(RefusalKind.Precondition, $"checkpoint.path: {output} cannot be used: {e.Message}");
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Hands a worker to the run that it asks for. No submission replaces the run meanwhile, so the worker is with the one that goes on.</summary>
    /// <returns>False: this coordinator does not drive that run.</returns>
    public async Task<bool> TryJoinAsync(WorkerSeat seat, string runId, CancellationToken cancellation)
    {
        await turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (Find(runId) is not { } actor)
                return false;
            seat.Join(actor);
            return true;
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Gives waiting workers to the runs that want some; while a submission may be replacing one of them, nothing, and the next call sees to it.</summary>
    public void Offer(WorkerPool pool)
    {
        if (!turn.Wait(0))
            return;
        try
        {
            pool.Offer([.. Actors.Where(a => !a.State.IsOver)]);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <exception cref="RunRefusedException">The run is unknown or over, or the action is none.</exception>
    public async Task<RunState> ControlAsync(string runId, string action, CancellationToken cancellation)
    {
        var kind = action switch
        {
            "pause" => ControlKind.Pause,
            "resume" => ControlKind.Resume,
            "cancel" => ControlKind.Cancel,
            "stop" => ControlKind.Stop,
            _ => throw new RunRefusedException(RefusalKind.Invalid, $"action '{action}' is none; valid: pause, resume, cancel, stop"),
        };
        var state = await StateAsync(runId, cancellation).ConfigureAwait(false);
        var actor = Find(state.Plan.RunId);
        if (actor is null || actor.State.IsOver)
            throw new RunRefusedException(RefusalKind.Precondition, $"run {state.Plan.RunId} is {StoredNames.Of(RunOverview.Condition(state))}: it cannot be changed by {action}; submit it again to go on");
        await actor.PostAndWaitAsync(new ControlAsked(kind, "asked for"), cancellation).ConfigureAwait(false);
        return actor.State;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var actor in Actors)
            await actor.DisposeAsync().ConfigureAwait(false);
        turn.Dispose();
    }

    private static RunDescription Resolve(string text)
    {
        RunDescription description;
        try
        {
            description = RunDescriptionFile.Parse(text, "run description");
        }
        catch (InvalidDescriptionException e)
        {
            throw new RunRefusedException(RefusalKind.Invalid, e.Message);
        }

        if (string.IsNullOrEmpty(description.Checkpoint.Path))
            throw new RunRefusedException(RefusalKind.Invalid, "checkpoint.path is missing: it is the run's output directory, for example checkpoint.path: /shared/runs/mnist");
        return description with { Checkpoint = description.Checkpoint with { Path = Path.GetFullPath(description.Checkpoint.Path) } };
    }

    /// <summary>A directory may hold a run that another store remembered: it is gone on with if it is the same one.</summary>
    private async Task<(string RunId, bool Resumed)> CreateAsync(NewRun run, RunDescription description, CancellationToken cancellation)
    {
        var before = RunDirectory.ReadDescription(run.Output);
        if (before is not null)
            RequireSame(run.Output, before, description);
        RunDirectory.WriteDescription(run.Output, description);
        var stored = await store.CreateRunAsync(run, cancellation).ConfigureAwait(false);
        if (before is not null)
        {
            foreach (var evaluation in MetricsFile.ReadEvaluations(Path.Combine(run.Output, RunDirectory.MetricsFile)))
                await store.RecordEvaluationAsync(stored.RunId, evaluation, cancellation).ConfigureAwait(false);
        }

        var summary = before is null ? null : SummaryFile.Read(run.Output);
        if (summary is { State: "completed", TrainSamples: > 0 } && RunPlan.TotalSteps(description, summary.TrainSamples) <= summary.Step)
        {
            var final = new CheckpointRecord(summary.Step, CheckpointKind.Final, Checkpoints.FinalFile, "", 0, summary.WeightsHash, 0);
            await store.RecordCheckpointAsync(stored.RunId, final, cancellation).ConfigureAwait(false);
            await store.RecordProgressAsync(
                stored.RunId,
                new RecordProgress(RunCondition.Completed, summary.Reason, summary.Step, TimeSpan.FromSeconds(summary.TrainingSeconds), ImmutableSortedDictionary<string, WorkerTotals>.Empty),
                cancellation).ConfigureAwait(false);
        }
        else
        {
            await TakeUpAsync(stored, underWay: false, cancellation).ConfigureAwait(false);
        }

        return (stored.RunId, before is not null);
    }

    private async Task<(string RunId, bool Resumed)> ResumeAsync(
        StoredRun stored, NewRun run, RunDescription description, CancellationToken cancellation)
    {
        RequireSame(run.Output, RunLoader.Description(stored), description);
        var actor = Find(stored.RunId);
        // Workers that have come, but whose coming it has not dealt with yet, would be lost with it.
        if (actor is not null)
            await actor.PostAndWaitAsync(new Tick(), cancellation).ConfigureAwait(false);
        // A driven run that nobody has come to yet may as well take over what is new in the description.
        var isDriven = actor is { State: { IsOver: false, Members.IsEmpty: false } };
        var isFinished = stored is { Condition: RunCondition.Completed, Facts: { } facts } && RunPlan.TotalSteps(description, facts.TrainSamples) <= stored.Step;
        if (isDriven || isFinished)
            return (stored.RunId, true);

        if (actor is not null)
            await DropAsync(actor).ConfigureAwait(false);
        RunDirectory.WriteDescription(run.Output, description);
        stored = await store.ResubmitRunAsync(stored.RunId, run, cancellation).ConfigureAwait(false);
        await TakeUpAsync(stored, underWay: false, cancellation).ConfigureAwait(false);
        return (stored.RunId, true);
    }

    private static void RequireSame(string output, RunDescription before, RunDescription now)
    {
        var difference = RunIdentity.Difference(before, now);
        if (difference.Count > 0)
            throw new RunRefusedException(RefusalKind.Precondition, $"{output} holds another run ({string.Join("; ", difference)}): name another output directory, or submit the same run");
    }

    private async Task TakeUpAsync(StoredRun run, bool underWay, CancellationToken cancellation)
    {
        var plan = RunLoader.Plan(run);
        var memory = await loader.LoadAsync(run, underWay, cancellation).ConfigureAwait(false);
        plan = plan with { ReachToken = RunDirectory.TakeToken(plan.Output) };
        var actor = new RunActor(plan, memory, lease, post => new RunExecutor(plan, store, sessions, post, time, log), time, log);
        lock (gate)
            actors[++taken] = actor;
        CoordinatorLog.RunTakenUp(log, plan.RunId, actor.State.Committed.Step, plan.Output);
    }

    private async Task DropAsync(RunActor actor)
    {
        lock (gate)
            actors.Remove(actors.First(a => a.Value == actor).Key);
        await actor.DisposeAsync().ConfigureAwait(false);
    }

    private static string NameStem(RunDescription description)
    {
        var data = Path.GetFileName(description.Data.Path?.TrimEnd(Path.DirectorySeparatorChar)) is { Length: > 0 } folder
            ? folder
            : description.Data.Format.ToString();
        var name = $"{description.Model.Name}-{data}".ToLowerInvariant();
        return string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-'));
    }

    private static string Unknown(string runId, IReadOnlyList<StoredRun> runs) => runs.Count == 0
        ? "this coordinator has no run yet: submit one"
        : $"run '{runId}' is not known here; known: {string.Join(", ", runs.TakeLast(10).Select(r => r.RunId))}";
}
