using System.Collections.Immutable;
using AdderNet.Coordinator.Output;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Coordinator.Store;
using AdderNet.Core.Configuration;
using AdderNet.Protos.V1;
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

/// <summary>The runs of a coordinator: those that are driven, and those the store remembers.</summary>
internal sealed class RunCatalog(IRunStore store, IRunHomes homes, ILogger log) : IRunDesk, IDisposable
{
    private readonly SemaphoreSlim turn = new(1, 1);
    private readonly RunLoader loader = new(store, log);

    /// <summary>Takes up every run that was under way.</summary>
    public async Task LoadAsync(CancellationToken cancellation)
    {
        foreach (var run in await store.ListRunsAsync(cancellation).ConfigureAwait(false))
        {
            if (!run.IsActive)
                continue;
            try
            {
                await homes.TakeUpAsync(run, underWay: true, cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // One run whose directory is gone must not keep the others from going on; submitted again it is taken up.
                CoordinatorLog.ActionFailed(log, run.RunId, "taking it up", e.Message);
            }
        }
    }

    public async Task<RunStatus> StatusAsync(string runId, CancellationToken cancellation)
    {
        if (runId.Length > 0 && await homes.FindAsync(runId).ConfigureAwait(false) is { } driven)
            return driven;
        return await StatusAsync(await StoredAsync(runId, cancellation).ConfigureAwait(false), cancellation).ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<RunStatus>> StatusesAsync(CancellationToken cancellation)
    {
        var statuses = new List<RunStatus>();
        foreach (var run in await store.ListRunsAsync(cancellation).ConfigureAwait(false))
            statuses.Add(await StatusAsync(run, cancellation).ConfigureAwait(false));
        return statuses;
    }

    public async Task<IEnumerable<HistoryEntry>> HistoryAsync(string runId, CancellationToken cancellation)
    {
        var run = await StoredAsync(runId, cancellation).ConfigureAwait(false);
        var entries = await store.ReadHistoryAsync(run.RunId, cancellation).ConfigureAwait(false);
        var records = await store.ReadRecordsAsync(run.RunId, cancellation).ConfigureAwait(false);
        return RunHistory.Merge(
            entries, [.. records.Generations.Select(g => g.Number)], MetricsFile.ReadCommits(Path.Combine(run.Output, RunDirectory.MetricsFile)));
    }

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

    public async Task<RunStatus> ControlAsync(string runId, string action, CancellationToken cancellation)
    {
        var kind = action switch
        {
            "pause" => ControlKind.Pause,
            "resume" => ControlKind.Resume,
            "cancel" => ControlKind.Cancel,
            "stop" => ControlKind.Stop,
            _ => throw new RunRefusedException(RefusalKind.Invalid, $"action '{action}' is none; valid: pause, resume, cancel, stop"),
        };
        var run = (await StatusAsync(runId, cancellation).ConfigureAwait(false)).RunId;
        if (await homes.FindAsync(run).ConfigureAwait(false) is not { } driven || !IsActive(driven))
        {
            var ended = await StatusAsync(run, cancellation).ConfigureAwait(false);
            throw new RunRefusedException(RefusalKind.Precondition, $"run {run} is {ended.State}: it cannot be changed by {action}; submit it again to go on");
        }

        await homes.ControlAsync(run, kind, cancellation).ConfigureAwait(false);
        return await StatusAsync(run, cancellation).ConfigureAwait(false);
    }

    /// <summary>Does something while no submission replaces a run.</summary>
    public async Task<T> UndisturbedAsync<T>(Func<T> work, CancellationToken cancellation)
    {
        await turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return work();
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Does something unless a submission may be replacing a run.</summary>
    public void TryUndisturbed(Action work)
    {
        if (!turn.Wait(0))
            return;
        try
        {
            work();
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();

    private static bool IsActive(RunStatus driven) => StoredRun.Drives(StoredNames.To<RunCondition>(driven.State));

    private async Task<StoredRun> StoredAsync(string runId, CancellationToken cancellation)
    {
        var runs = await store.ListRunsAsync(cancellation).ConfigureAwait(false);
        var run = runId.Length == 0 ? runs.LastOrDefault() : runs.FirstOrDefault(r => r.RunId == runId);
        return run ?? throw new RunRefusedException(RefusalKind.NotFound, Unknown(runId, runs));
    }

    private async Task<RunStatus> StatusAsync(StoredRun run, CancellationToken cancellation) =>
        await homes.FindAsync(run.RunId).ConfigureAwait(false)
        ?? StatusMessages.Of(await loader.ReadEndedAsync(run, cancellation).ConfigureAwait(false));

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
            await homes.TakeUpAsync(stored, underWay: false, cancellation).ConfigureAwait(false);
        }

        return (stored.RunId, before is not null);
    }

    private async Task<(string RunId, bool Resumed)> ResumeAsync(
        StoredRun stored, NewRun run, RunDescription description, CancellationToken cancellation)
    {
        RequireSame(run.Output, RunLoader.Description(stored), description);
        // Workers that have come, but whose coming it has not dealt with yet, would be lost with it.
        await homes.SettleAsync(stored.RunId, cancellation).ConfigureAwait(false);
        var driven = await homes.FindAsync(stored.RunId).ConfigureAwait(false);
        // A driven run that nobody has come to yet may as well take over what is new in the description.
        var isDriven = driven is not null && IsActive(driven) && driven.Workers.Count > 0;
        var isFinished = stored is { Condition: RunCondition.Completed, Facts: { } facts } && RunPlan.TotalSteps(description, facts.TrainSamples) <= stored.Step;
        if (isDriven || isFinished)
            return (stored.RunId, true);

        await homes.DropAsync(stored.RunId).ConfigureAwait(false);
        RunDirectory.WriteDescription(run.Output, description);
        stored = await store.ResubmitRunAsync(stored.RunId, run, cancellation).ConfigureAwait(false);
        await homes.TakeUpAsync(stored, underWay: false, cancellation).ConfigureAwait(false);
        return (stored.RunId, true);
    }

    private static void RequireSame(string output, RunDescription before, RunDescription now)
    {
        var difference = RunIdentity.Difference(before, now);
        if (difference.Count > 0)
            throw new RunRefusedException(RefusalKind.Precondition, $"{output} holds another run ({string.Join("; ", difference)}): name another output directory, or submit the same run");
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
