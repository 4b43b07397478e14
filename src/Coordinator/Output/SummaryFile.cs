using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Coordinator.Store;
using AdderNet.Core.Checkpoints;

namespace AdderNet.Coordinator.Output;

/// <summary>
/// <c>summary.json</c>: the side file with what depends on machines (generations, times, who computed what), so that
/// <c>final.safetensors</c> need not.
/// </summary>
internal static class SummaryFile
{
    public const string Name = "summary.json";

    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static void Write(string output, RunState state, ImmutableArray<GenerationRecord> generations, DateTimeOffset ended)
    {
        var last = state.Evaluations.LastOrDefault();
        var summary = new Summary(
            state.Plan.RunId,
            StoredNames.Of(RunOverview.Condition(state)),
            state.Reason,
            state.Committed.Step,
            state.Facts is { } facts ? state.Plan.TotalSteps(facts) : 0,
            state.Facts?.TrainSamples ?? 0,
            state.Facts?.TestSamples ?? 0,
            state.Facts?.Identity ?? "",
            state.Facts?.ManifestHash ?? "",
            state.TrainingTime.TotalSeconds,
            RunOverview.WeightsHash(state),
            last?.Step,
            last?.Top1,
            last?.Top5,
            last?.Loss,
            state.Best?.Step,
            state.Best?.Top1,
            state.Generation?.Number ?? 0,
            [.. state.Totals.Select(t => Of(t.Key, t.Value, state.Generation?.Find(t.Key)))],
            [.. generations.Select(g => new GenerationSummary(
                g.Number, g.BaseStep, g.Reason, g.Made,
                [.. g.Members.Select(m => new MemberSummary(m.WorkerId, m.Address, m.Range.First, m.Range.End))]))],
            new FileSummary(state.FileCost.Files, state.FileCost.StallSeconds, state.FileCost.LongestStallSeconds),
            ended);
        AtomicFile.Write(Path.Combine(output, Name), "coordinator", stream => JsonSerializer.Serialize(stream, summary, Format));
    }

    private static WorkerSummary Of(string id, WorkerTotals totals, GenerationMember? listed) => new(
        id, listed?.Range.First ?? 0, listed?.Range.End ?? 0, totals.Steps, totals.ShardsComputed, totals.GradientBytesSent);

    /// <summary>How an earlier run in the directory ended; null when there is no readable summary.</summary>
    public static Summary? Read(string output)
    {
        try
        {
            return JsonSerializer.Deserialize<Summary>(File.ReadAllText(Path.Combine(output, Name)), Format);
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return null;
        }
    }
}

internal sealed record Summary(
    string Run, string State, string Reason, long Step, long TotalSteps, long TrainSamples, long TestSamples,
    string RunIdentity, string DataManifestHash, double TrainingSeconds, string WeightsHash,
    long? EvaluatedStep, double? Top1, double? Top5, double? Loss, long? BestStep, double? BestTop1, long Generation,
    IReadOnlyList<WorkerSummary> Workers, IReadOnlyList<GenerationSummary> Generations, FileSummary? Files, DateTimeOffset Ended);

/// <summary>Files of state since the coordinator started: how many, and for how long training stood still for them.</summary>
internal sealed record FileSummary(long Written, double StallSeconds, double LongestStallSeconds);

/// <summary>One worker's part; its range is that of the last generation, empty for a spare and for one that was gone by then.</summary>
internal sealed record WorkerSummary(string Id, int FirstShard, int EndShard, long Steps, long ShardsComputed, long GradientBytesSent);

internal sealed record GenerationSummary(long Number, long BaseStep, string Reason, DateTimeOffset Made, IReadOnlyList<MemberSummary> Members);

internal sealed record MemberSummary(string Id, string Address, int FirstShard, int EndShard);
