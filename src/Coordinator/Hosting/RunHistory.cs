using System.Globalization;
using AdderNet.Coordinator.Store;

namespace AdderNet.Coordinator.Hosting;

/// <summary>
/// What happened to a run: the store's entries, and between them the steps that were committed, which only
/// <c>metrics.jsonl</c> knows, as one entry a stretch.
/// </summary>
internal static class RunHistory
{
    /// <param name="entries">The store's entries, oldest first.</param>
    /// <param name="generations">Numbers of the run's generations, lowest first.</param>
    /// <param name="commits">Committed steps in order.</param>
    public static IEnumerable<HistoryEntry> Merge(
        IReadOnlyList<HistoryEntry> entries, IReadOnlyList<long> generations, IEnumerable<(long Step, long Generation, double Loss)> commits)
    {
        // A store of the first version did not note generations: those that were noted are the latest ones.
        var numbers = new Queue<long>(generations.TakeLast(entries.Count(IsGeneration)));
        var current = numbers.TryPeek(out var first) ? first - 1 : long.MaxValue;
        using var left = commits.GetEnumerator();
        var more = left.MoveNext();
        foreach (var entry in entries)
        {
            // All that an earlier generation committed comes before the next one; the rest before what was done at a later step.
            if (Stretch(c => c.Generation <= current && (IsGeneration(entry) || c.Step <= entry.Step)) is { } before)
                yield return before;
            if (IsGeneration(entry))
                current = numbers.Dequeue();
            yield return entry;
        }

        if (Stretch(_ => true) is { } rest)
            yield return rest;

        HistoryEntry? Stretch(Func<(long Step, long Generation, double Loss), bool> belongs)
        {
            if (!more || !belongs(left.Current))
                return null;
            var (from, last) = (left.Current.Step, left.Current);
            for (; more && belongs(left.Current); more = left.MoveNext())
                last = left.Current;
            return new HistoryEntry(DateTimeOffset.UnixEpoch, "commits", last.Step, string.Create(
                CultureInfo.InvariantCulture,
                $"{(from == last.Step ? $"step {from}" : $"steps {from} to {last.Step}")} committed, generation {last.Generation}, loss {last.Loss:0.0000}"));
        }
    }

    private static bool IsGeneration(HistoryEntry entry) => entry.Kind == "generation";
}
