using System.Buffers;
using System.Text;
using System.Text.Json;
using AdderNet.Coordinator.RunLogic;

namespace AdderNet.Coordinator.Output;

/// <summary>
/// <c>metrics.jsonl</c>: exactly one line a committed step and one an evaluation. Lines go to the operating system at
/// once but no disk is waited for: a line that a crash of the machine loses is written again from members' reports.
/// </summary>
internal sealed class MetricsFile(string path) : IDisposable
{
    private FileStream? stream;

    public void Append(StepLine line) => Write(writer => Fill(writer, line));

    public void Append(WriteEvaluationLine line) => Write(writer => Fill(writer, line));

    /// <summary>Drops every line beyond a step, and a last line that was cut short; adds the step's own lines if they are missing and known.</summary>
    public void Cut(long step, StepLine? restored, WriteEvaluationLine? evaluated)
    {
        Dispose();
        if (!File.Exists(path) && restored is null && evaluated is null)
            return;
        var temporary = path + ".tmp";
        using (var kept = new FileStream(temporary, FileMode.Create, FileAccess.Write))
        {
            var (hasLine, hasEvaluation) = (restored is null, evaluated is null);
            foreach (var line in File.Exists(path) ? File.ReadLines(path) : [])
            {
                if (Parse(line) is not { } parsed || parsed.Step > step)
                    continue;
                if (parsed.Step == step && parsed.IsEvaluation && !hasLine)
                    kept.Write(Format(writer => Fill(writer, restored!)));
                hasLine |= parsed.Step == step;
                hasEvaluation |= parsed.Step == step && parsed.IsEvaluation;
                kept.Write(Encoding.UTF8.GetBytes(line + "\n"));
            }

            if (!hasLine)
                kept.Write(Format(writer => Fill(writer, restored!)));
            if (!hasEvaluation)
                kept.Write(Format(writer => Fill(writer, evaluated!)));
        }

        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Evaluations that the file holds, for a run whose store was lost.</summary>
    public static IEnumerable<EvaluationRecord> ReadEvaluations(string path)
    {
        foreach (var line in File.Exists(path) ? File.ReadLines(path) : [])
        {
            if (Parse(line) is not { IsEvaluation: true })
                continue;
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            var samples = root.GetProperty("samples").GetInt64();
            yield return new EvaluationRecord(
                root.GetProperty("step").GetInt64(), samples,
                (long)Math.Round(root.GetProperty("top1").GetDouble() * samples),
                (long)Math.Round(root.GetProperty("top5").GetDouble() * samples),
                root.GetProperty("loss").ValueKind == JsonValueKind.Number ? root.GetProperty("loss").GetDouble() * samples : double.NaN);
        }
    }

    /// <summary>The committed steps that the file holds, in order.</summary>
    public static IEnumerable<(long Step, long Generation, double Loss)> ReadCommits(string path)
    {
        foreach (var line in File.Exists(path) ? File.ReadLines(path) : [])
        {
            if (Parse(line) is not { IsEvaluation: false } parsed)
                continue;
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            yield return (
                parsed.Step, root.GetProperty("generation").GetInt64(),
                root.GetProperty("loss").ValueKind == JsonValueKind.Number ? root.GetProperty("loss").GetDouble() : double.NaN);
        }
    }

    public void Dispose()
    {
        stream?.Dispose();
        stream = null;
    }

    private static (long Step, bool IsEvaluation)? Parse(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            return (json.RootElement.GetProperty("step").GetInt64(), json.RootElement.TryGetProperty("top1", out _));
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null; // a line that a crash cut short
        }
    }

    private static void Fill(Utf8JsonWriter writer, StepLine line)
    {
        writer.WriteNumber("step", line.Step);
        writer.WriteNumber("epoch", line.Epoch);
        WriteReal(writer, "loss", line.Outcome.Loss);
        WriteReal(writer, "learning_rate", line.Outcome.LearningRate);
        WriteReal(writer, "samples_per_second", line.SamplesPerSecond);
        writer.WriteNumber("world", line.World);
        writer.WriteNumber("generation", line.Generation);
        writer.WriteNumber("samples", line.Outcome.Samples);
        writer.WriteNumber("correct", line.Outcome.Correct);
        WriteReal(writer, "compute_seconds", line.ComputeSeconds);
        WriteReal(writer, "exchange_seconds", line.ExchangeSeconds);
        WriteReal(writer, "data_wait_seconds", line.DataWaitSeconds);
        if (line.Skipped)
            writer.WriteBoolean("skipped", true);
    }

    private static void Fill(Utf8JsonWriter writer, WriteEvaluationLine line)
    {
        var evaluation = line.Evaluation;
        writer.WriteNumber("step", evaluation.Step);
        writer.WriteNumber("epoch", line.Epoch);
        writer.WriteNumber("top1", evaluation.Top1);
        writer.WriteNumber("top5", evaluation.Top5);
        WriteReal(writer, "loss", evaluation.Loss);
        writer.WriteNumber("samples", evaluation.Samples);
    }

    /// <summary>JSON has no NaN and no infinity: null stands for both.</summary>
    private static void WriteReal(Utf8JsonWriter writer, string name, double value)
    {
        if (double.IsFinite(value))
            writer.WriteNumber(name, value);
        else
            writer.WriteNull(name);
    }

    private static void WriteReal(Utf8JsonWriter writer, string name, float value)
    {
        if (float.IsFinite(value))
            writer.WriteNumber(name, value);
        else
            writer.WriteNull(name);
    }

    private static byte[] Format(Action<Utf8JsonWriter> fill)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            fill(writer);
            writer.WriteEndObject();
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    private void Write(Action<Utf8JsonWriter> fill)
    {
        stream ??= new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        stream.Write(Format(fill));
    }
}
