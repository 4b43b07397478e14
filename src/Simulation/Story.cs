using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using AdderNet.Simulation.Model;

namespace AdderNet.Simulation;

/// <summary>
/// What happened, line by line, for people; and its hash, so that two plays of a seed can be compared. A story that nobody
/// reads is not written: in large campaigns only the seeds that fail are told.
/// </summary>
internal sealed class Story(bool isTold)
{
    private readonly List<string> lines = [];

    public bool IsTold => isTold;

    public IReadOnlyList<string> Lines => lines;

    /// <summary>A hash of all lines in order.</summary>
    public ulong Hash { get; private set; }

    /// <summary>Adds a line.</summary>
    /// <param name="now">Virtual time.</param>
    /// <param name="actor">Who did or met it.</param>
    /// <param name="text">What, in words.</param>
    public void Tell(TimeSpan now, string actor, [InterpolatedStringHandlerArgument("")] Sentence text)
    {
        if (!isTold)
            return;
        var line = string.Create(CultureInfo.InvariantCulture, $"{now.TotalSeconds,9:0.0000}  {actor,-8} {text.ToString()}");
        lines.Add(line);
        foreach (var character in line)
            Hash = Mixing.Of(Hash, character);
    }

    /// <summary>A sentence that costs nothing when the story is not told.</summary>
    [InterpolatedStringHandler]
    internal readonly ref struct Sentence
    {
        private readonly StringBuilder? builder;

        public Sentence(int literalLength, int formattedCount, Story story, out bool isRead)
        {
            isRead = story.IsTold;
            builder = isRead ? new StringBuilder(literalLength + (8 * formattedCount)) : null;
        }

        public void AppendLiteral(string text) => builder!.Append(text);

        public void AppendFormatted<T>(T value) => builder!.Append(CultureInfo.InvariantCulture, $"{value}");

        public void AppendFormatted<T>(T value, string format) => builder!.AppendFormat(CultureInfo.InvariantCulture, $"{{0:{format}}}", value);

        public override string ToString() => builder?.ToString() ?? "";
    }
}
