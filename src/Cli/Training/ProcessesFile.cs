using System.Text.Json;
using System.Text.Json.Serialization;

namespace AdderNet.Cli.Training;

/// <summary>A worker process as <c>processes.json</c> names it.</summary>
internal sealed record WorkerEntry([property: JsonPropertyName("id")] string Id, [property: JsonPropertyName("pid")] int ProcessId);

/// <summary>Content of <c>processes.json</c>: who trains here, for scripts and people.</summary>
internal sealed record ProcessesFile(
    [property: JsonPropertyName("coordinator")] int? Coordinator,
    [property: JsonPropertyName("url")] string? Url,
    [property: JsonPropertyName("workers")] IReadOnlyList<WorkerEntry> Workers)
{
    public const string Name = "processes.json";

    /// <summary>Replaces the file in one step, so that a reader always finds a whole one.</summary>
    public void Write(string directory)
    {
        var path = Path.Combine(directory, Name);
        var temporary = path + ".new";
        File.WriteAllText(temporary, JsonSerializer.Serialize(this) + "\n");
        File.Move(temporary, path, overwrite: true);
    }
}
