using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;

namespace AdderNet.Cli.CommandLine;

/// <summary>Makes options that an ADDERNET_* variable sets where the command line does not.</summary>
internal static class EnvironmentOption
{
    /// <param name="name">Option, such as <c>--threads</c>; its variable is ADDERNET_THREADS.</param>
    /// <param name="description">What it does, for the help.</param>
    /// <param name="valueName">Placeholder in the help, such as <c>N</c>.</param>
    /// <param name="fallback">Value when neither is given.</param>
    public static Option<string?> Text(string name, string description, string valueName, string? fallback = null)
    {
        var variable = Variable(name);
        return new Option<string?>(name)
        {
            Description = $"{description} [{variable}]",
            HelpName = valueName,
            DefaultValueFactory = _ => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } set ? set : fallback,
        };
    }

    /// <summary>Present or not; its variable is true or false.</summary>
    public static Option<bool> Flag(string name, string description)
    {
        var variable = Variable(name);
        return new Option<bool>(name)
        {
            Description = $"{description} [{variable}]",
            DefaultValueFactory = result =>
            {
                if (Environment.GetEnvironmentVariable(variable) is not { Length: > 0 } set)
                    return false;
                if (!bool.TryParse(set, out var value))
                    result.AddError($"{variable}: '{set}' is neither true nor false; valid: {variable}=true");
                return value;
            },
        };
    }

    /// <summary>A whole number of at least <paramref name="minimum"/>; null when not given.</summary>
    public static Option<int?> Number(string name, string description, string valueName, int minimum, int example)
    {
        var variable = Variable(name);
        return new Option<int?>(name)
        {
            Description = $"{description} [{variable}]",
            HelpName = valueName,
            CustomParser = result => ParseNumber(result, result.Tokens[0].Value, name, minimum, $"{name} {example}"),
            DefaultValueFactory = result => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } set
                ? ParseNumber(result, set, variable, minimum, $"{variable}={example}")
                : null,
        };
    }

    /// <summary>An absolute http or https URL.</summary>
    public static Option<Uri?> Url(string name, string description, string example, string? fallback = null)
    {
        var variable = Variable(name);
        return new Option<Uri?>(name)
        {
            Description = $"{description} [{variable}]",
            HelpName = "URL",
            CustomParser = result => ParseUrl(result, result.Tokens[0].Value, name, $"{name} {example}"),
            DefaultValueFactory = result => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } set
                ? ParseUrl(result, set, variable, $"{variable}={example}")
                : fallback is null ? null : new Uri(fallback),
        };
    }

    /// <summary>One absolute http or https URL, or several with commas between them.</summary>
    public static Option<IReadOnlyList<Uri>?> Urls(string name, string description, string example, string fallback)
    {
        var variable = Variable(name);
        return new Option<IReadOnlyList<Uri>?>(name)
        {
            Description = $"{description} [{variable}]",
            HelpName = "URL[,URL]",
            CustomParser = result => ParseUrls(result, result.Tokens[0].Value, name, $"{name} {example}"),
            DefaultValueFactory = result => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } set
                ? ParseUrls(result, set, variable, $"{variable}={example}")
                : [new Uri(fallback)],
        };
    }

    /// <summary>An IP address and a port.</summary>
    public static Option<IPEndPoint?> EndPoint(string name, string description, string example, string fallback)
    {
        var variable = Variable(name);
        return new Option<IPEndPoint?>(name)
        {
            Description = $"{description} [{variable}]",
            HelpName = "IP:PORT",
            CustomParser = result => ParseEndPoint(result, result.Tokens[0].Value, name, $"{name} {example}"),
            DefaultValueFactory = result => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } set
                ? ParseEndPoint(result, set, variable, $"{variable}={example}")
                : IPEndPoint.Parse(fallback),
        };
    }

    /// <summary>ADDERNET_ and the option's name in capitals.</summary>
    public static string Variable(string option) =>
        "ADDERNET_" + option.TrimStart('-').Replace('-', '_').ToUpperInvariant();

    /// <summary>What set the option: itself, or its variable.</summary>
    public static string Source(OptionResult result) =>
        result.Implicit && Environment.GetEnvironmentVariable(Variable(result.Option.Name)) is { Length: > 0 } ? Variable(result.Option.Name) + "=" : result.Option.Name + " ";

    private static int? ParseNumber(ArgumentResult result, string text, string source, int minimum, string example)
    {
        if (int.TryParse(text, out var number) && number >= minimum)
            return number;
        result.AddError($"{source}: '{text}' is not a whole number of at least {minimum}; valid: {example}");
        return null;
    }

    private static IPEndPoint? ParseEndPoint(ArgumentResult result, string text, string source, string example)
    {
        if (IPEndPoint.TryParse(text, out var endPoint) && text.Contains(':', StringComparison.Ordinal))
            return endPoint;
        result.AddError($"{source}: '{text}' is not IP:PORT; valid: {example}");
        return null;
    }

    private static IReadOnlyList<Uri>? ParseUrls(ArgumentResult result, string text, string source, string example)
    {
        Uri[] urls = [.. text.Split(',').Select(part => ParseUrl(result, part, source, example)).OfType<Uri>()];
        return result.Errors.Any() ? null : urls;
    }

    private static Uri? ParseUrl(ArgumentResult result, string text, string source, string example)
    {
        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.PathAndQuery == "/" && url.UserInfo.Length == 0)
            return url;
        result.AddError($"{source}: '{text}' is not http://host:port or https://host:port; valid: {example}");
        return null;
    }
}
