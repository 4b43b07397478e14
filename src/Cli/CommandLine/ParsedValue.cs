using System.CommandLine;
using System.CommandLine.Parsing;
using AdderNet.Core.Configuration;

namespace AdderNet.Cli.CommandLine;

/// <summary>Reads values of options and arguments; what is wrong is named with a valid example.</summary>
internal static class ParsedValue
{
    /// <summary>A value of an enumeration, as descriptions spell it.</summary>
    /// <param name="result">What was typed.</param>
    /// <param name="source">The option or argument, for the message.</param>
    public static T Spelled<T>(ArgumentResult result, string source)
        where T : struct, Enum
    {
        var text = result.Tokens[0].Value;
        if (!Spelling.TryParse<T>(text, out var value))
            result.AddError($"{source}: '{text}' is not known; valid: {string.Join(", ", Spelling.All<T>())}");
        return value;
    }

    /// <summary>An option that is a whole number in a range.</summary>
    public static Option<int?> Number(string name, string description, int minimum, int maximum, int example) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = result =>
        {
            if (int.TryParse(result.Tokens[0].Value, out var number) && number >= minimum && number <= maximum)
                return number;
            result.AddError($"{name}: '{result.Tokens[0].Value}' is not a whole number from {minimum} to {maximum}; valid: {name} {example}");
            return null;
        },
    };
}
