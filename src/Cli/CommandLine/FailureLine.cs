using System.Text.Json;

namespace AdderNet.Cli.CommandLine;

/// <summary>The one line that says why a command failed: text, or with <c>--log-format json</c> an object like those of the log.</summary>
internal sealed class FailureLine(TextWriter errors, string? format, TimeProvider clock)
{
    public void Write(string message)
    {
        var line = message.ReplaceLineEndings(" ").TrimEnd();
        errors.WriteLine(format == LogOptions.Json
            ? JsonSerializer.Serialize(new
            {
                Timestamp = clock.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", null),
                EventId = 1,
                LogLevel = "Critical",
                Category = "AdderNet.Cli",
                Message = line,
            })
            : line);
    }
}
