using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace AdderNet.Cli.CommandLine;

/// <summary><c>--log-format</c>: how a process logs to standard error.</summary>
internal static class LogOptions
{
    public const string Text = "text";
    public const string Json = "json";

    /// <summary>Valid after every command.</summary>
    public static Option<string?> Format { get; } = CreateFormat();

    /// <summary>A logger factory whose lines, with event ids, go to standard error.</summary>
    public static ILoggerFactory CreateLoggers(string? format) => LoggerFactory.Create(logging =>
    {
        logging.SetMinimumLevel(LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Orleans", LogLevel.Error);
        // A server that cannot start is reported by the command, in one line.
        logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
        if (format == Json)
        {
            logging.AddJsonConsole(console =>
            {
                console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
                console.UseUtcTimestamp = true;
            });
        }
        else
        {
            logging.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = "HH:mm:ss.fff ";
                console.UseUtcTimestamp = true;
                console.ColorBehavior = Console.IsErrorRedirected ? LoggerColorBehavior.Disabled : LoggerColorBehavior.Default;
            });
        }

        logging.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
    });

    private static Option<string?> CreateFormat()
    {
        var option = EnvironmentOption.Text("--log-format", "How log lines are written: text, or json with one object a line", "text|json", Text);
        option.Recursive = true;
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } value and not (Text or Json))
                result.AddError($"{EnvironmentOption.Source(result).TrimEnd(' ', '=')}: '{value}' is not a log format; valid: {EnvironmentOption.Source(result)}{Json}");
        });
        return option;
    }
}
