using System.Security.Cryptography;
using System.Text.Json;
using Xunit;

namespace AdderNet.EndToEnd.Tests;

/// <summary>What a finished run left in its output directory.</summary>
internal sealed record TrainedRun(string Directory, CommandResult Result)
{
    /// <summary>SHA-256 of the bytes of final.safetensors.</summary>
    public string FinalFileHash => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(Directory, "final.safetensors"))));

    public JsonElement Summary => JsonDocument.Parse(File.ReadAllText(Path.Combine(Directory, "summary.json"))).RootElement;

    public IReadOnlyList<JsonElement> Metrics =>
        [.. File.ReadAllLines(Path.Combine(Directory, "metrics.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)];

    public IReadOnlyList<JsonElement> StepLines => [.. Metrics.Where(line => line.TryGetProperty("learning_rate", out _))];

    public IReadOnlyList<JsonElement> EvaluationLines => [.. Metrics.Where(line => line.TryGetProperty("top1", out _))];

    public static async Task<TrainedRun> TrainAsync(
        string config, string output, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var result = await AdderNetProcess.RunAsync(["train", config, "--output", output, .. arguments], environment);
        Assert.True(result.ExitCode == 0, result.ToString());
        return new TrainedRun(output, result);
    }
}
