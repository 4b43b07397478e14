using System.Globalization;
using AdderNet.Protos.V1;

namespace AdderNet.Cli.Training;

/// <summary>A run's state in words.</summary>
internal static class ProgressText
{
    private static readonly CultureInfo Plain = CultureInfo.InvariantCulture;

    /// <summary>States in which a run does nothing more.</summary>
    public static bool IsOver(RunStatus status) => status.State is "completed" or "failed" or "cancelled" or "stopped";

    /// <summary>One line: step, epoch, loss, top-1, speed, workers, generation, time left.</summary>
    public static string Line(RunStatus status) => string.Join("  ",
        Steps(status),
        $"epoch {status.Epoch}/{status.TotalEpochs}",
        "loss " + Loss(status),
        "top-1 " + Top1(status),
        status.SamplesPerSecond.ToString("0", Plain) + " samples/s",
        $"workers {status.Workers.Count}",
        $"generation {status.Generation}",
        "left " + Duration(status.SecondsLeft));

    /// <summary>One line about the newest evaluation.</summary>
    public static string EvaluationLine(RunStatus status) => string.Format(
        Plain, "evaluated step {0}: top-1 {1}, top-5 {2}, loss {3:0.0000}",
        status.LastEvaluatedStep, Percent(status.LastTop1), Percent(status.LastTop5), status.LastEvaluationLoss);

    /// <summary>The state and the sentence behind it.</summary>
    public static string State(RunStatus status) =>
        status.Reason.Length == 0 ? status.State
        : status.Reason.StartsWith(status.State, StringComparison.Ordinal) ? status.Reason
        : $"{status.State}: {status.Reason}";

    /// <summary>Step of how many; how many is known once the first worker has read the data.</summary>
    public static string Steps(RunStatus status) => $"step {status.Step}/{(status.TotalSteps == 0 ? "-" : status.TotalSteps)}";

    /// <summary>Training loss of the newest step; a dash when this coordinator has seen none.</summary>
    public static string Loss(RunStatus status) => status.Loss == 0 ? "-" : status.Loss.ToString("0.0000", Plain);

    public static string Top1(RunStatus status) => status.LastEvaluatedStep == 0 ? "-" : Percent(status.LastTop1);

    public static string Percent(double fraction) => (fraction * 100).ToString("0.00", Plain) + " %";

    /// <summary>h:mm:ss, or m:ss below an hour; a dash when it is not known.</summary>
    public static string Duration(double seconds)
    {
        if (!double.IsFinite(seconds) || seconds <= 0)
            return "-";
        var time = TimeSpan.FromSeconds(Math.Ceiling(seconds));
        return time.TotalHours >= 1
            ? string.Format(Plain, "{0}:{1:00}:{2:00}", (long)time.TotalHours, time.Minutes, time.Seconds)
            : string.Format(Plain, "{0}:{1:00}", time.Minutes, time.Seconds);
    }

    public static string Bytes(double bytes) => bytes switch
    {
        >= 1e9 => (bytes / 1e9).ToString("0.00", Plain) + " GB",
        >= 1e6 => (bytes / 1e6).ToString("0.0", Plain) + " MB",
        _ => (bytes / 1e3).ToString("0.0", Plain) + " kB",
    };
}
