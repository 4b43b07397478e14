using System.Text.Json;
using System.Text.Json.Serialization;
using AdderNet.Protos.V1;

namespace AdderNet.Cli.Training;

/// <summary>What one worker did.</summary>
internal sealed record WorkerSummary(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("first_shard")] uint FirstShard,
    [property: JsonPropertyName("end_shard")] uint EndShard,
    [property: JsonPropertyName("shards_computed")] ulong ShardsComputed,
    [property: JsonPropertyName("gradient_bytes_sent")] ulong GradientBytesSent);

/// <summary>How a run came out: shown at the end of <c>train</c>, from the coordinator's <c>summary.json</c>.</summary>
internal sealed record RunSummary(
    [property: JsonPropertyName("run")] string Run,
    [property: JsonPropertyName("state")] string State,
    [property: JsonPropertyName("step")] ulong Step,
    [property: JsonPropertyName("weights_hash")] string WeightsHash,
    [property: JsonPropertyName("top1")] double? Top1,
    [property: JsonPropertyName("top5")] double? Top5,
    [property: JsonPropertyName("loss")] double? Loss,
    [property: JsonPropertyName("training_seconds")] double TrainingSeconds,
    [property: JsonPropertyName("generation")] ulong Generation,
    [property: JsonPropertyName("workers")] IReadOnlyList<WorkerSummary> Workers)
{
    public const string Name = "summary.json";

    private static RunSummary Of(RunStatus status) => new(
        status.RunId, status.State, status.Step, status.WeightsHash,
        status.LastEvaluatedStep == 0 ? null : status.LastTop1,
        status.LastEvaluatedStep == 0 ? null : status.LastTop5,
        status.LastEvaluatedStep == 0 ? null : status.LastEvaluationLoss,
        status.TrainingSeconds, status.Generation,
        [.. status.Workers.Select(w => new WorkerSummary(w.WorkerId, w.FirstShard, w.EndShard, w.ShardsComputed, w.GradientBytesSent))]);

    /// <summary>What the coordinator wrote at the run's end; without it, what the last status says.</summary>
    public static RunSummary Read(string output, RunStatus status)
    {
        try
        {
            var written = JsonSerializer.Deserialize<RunSummary>(File.ReadAllText(Path.Combine(output, Name)));
            return written?.Step == status.Step && written.State == status.State ? written : Of(status);
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return Of(status);
        }
    }

    public IEnumerable<string> Lines(string output)
    {
        yield return Top1 is { } top1 && Top5 is { } top5 && Loss is { } loss
            ? $"test accuracy  {ProgressText.Percent(top1)} top-1, {ProgressText.Percent(top5)} top-5, loss {loss.ToString("0.0000", null)}"
            : "test accuracy  not evaluated (evaluation.every_epochs: 0)";
        yield return $"weights hash   {WeightsHash}";
        yield return $"steps          {Step} in {ProgressText.Duration(TrainingSeconds)} of training, generation {Generation}";
        foreach (var worker in Workers)
            yield return $"worker         {worker.Id}: {(worker.EndShard > worker.FirstShard ? $"shards {worker.FirstShard}-{worker.EndShard} (exclusive)" : "no shards at the end")}, {worker.ShardsComputed} computed, {ProgressText.Bytes(worker.GradientBytesSent)} of gradients sent";
        yield return $"written to     {output} (final.safetensors, metrics.jsonl, {Name}, checkpoints, logs)";
    }
}
