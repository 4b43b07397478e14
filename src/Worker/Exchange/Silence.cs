namespace AdderNet.Worker.Exchange;

/// <summary>
/// Since when nothing has come from each neighbour: whom to ask for a sign of life, and who has been silent for a lease. No
/// I/O and no clock of its own; any thread.
/// </summary>
/// <param name="lease">elastic.lease_ms.</param>
internal sealed class Silence(TimeSpan lease)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, TimeSpan> heard = new(StringComparer.Ordinal);
    private TimeSpan? looked;

    /// <summary>How often to look.</summary>
    public static TimeSpan Period(TimeSpan lease) => lease / 10;

    /// <summary>From now on these neighbours count; what is known of those that counted before stays known.</summary>
    public void Follow(IReadOnlyCollection<string> neighbours, TimeSpan now)
    {
        lock (gate)
        {
            foreach (var gone in heard.Keys.Except(neighbours, StringComparer.Ordinal).ToList())
                heard.Remove(gone);
            foreach (var neighbour in neighbours)
                heard.TryAdd(neighbour, now);
        }
    }

    /// <summary>Something came from a neighbour, whatever it was.</summary>
    public void Heard(string neighbour, TimeSpan now)
    {
        lock (gate)
        {
            if (heard.TryGetValue(neighbour, out var before) && before < now)
                heard[neighbour] = now;
        }
    }

    /// <summary>Looks once a period.</summary>
    /// <returns>Who is to be asked for a sign of life, and who gave none for a lease, both in ordinal order.</returns>
    public (IReadOnlyList<string> Ask, IReadOnlyList<string> Silent) Look(TimeSpan now)
    {
        lock (gate)
        {
            Forgive(now);
            return (Since(now - (lease / 5)), Since(now - lease));
        }
    }

    /// <summary>Who looks too late stood still itself: it could neither ask nor hear meanwhile.</summary>
    private void Forgive(TimeSpan now)
    {
        var gap = now - (looked ?? now);
        looked = now;
        if (gap < lease / 2)
            return;
        foreach (var neighbour in heard.Keys.ToList())
            heard[neighbour] = heard[neighbour] + gap < now ? heard[neighbour] + gap : now;
    }

    private List<string> Since(TimeSpan moment) => [.. heard.Where(h => h.Value <= moment).Select(h => h.Key).Order(StringComparer.Ordinal)];
}
