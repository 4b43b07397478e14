using AdderNet.Simulation.Processes;
using AdderNet.Simulation.Time;

namespace AdderNet.Simulation.Network;

/// <summary>What the links between processes do to messages, by the seed.</summary>
/// <param name="Least">Shortest delay of a message.</param>
/// <param name="Most">Longest ordinary delay.</param>
/// <param name="SlowOneIn">One message in so many takes up to a second; 0: none.</param>
/// <param name="DropOneIn">One message in so many is lost, and with it, soon after, its connection; 0: none.</param>
/// <param name="DuplicateOneIn">One message in so many arrives twice; 0: none.</param>
/// <param name="OvertakeOneIn">One message in so many is overtaken by later ones; 0: none.</param>
internal sealed record NetworkWeather(
    TimeSpan Least, TimeSpan Most, int SlowOneIn, int DropOneIn, int DuplicateOneIn, int OvertakeOneIn);

/// <summary>Delivers messages between processes; links can be cut in one direction or both.</summary>
internal sealed class SimulatedNetwork(Timeline time, Draws draws, NetworkWeather weather)
{
    /// <summary>A connection whose peer is silent is given up by its client after so long (ping delay and time-out).</summary>
    public static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(10);

    private readonly Dictionary<(string From, string To), TimeSpan> cuts = [];
    private readonly List<(string From, string To, Action Deliver)> held = [];
    private readonly List<Connection> connections = [];

    /// <summary>Whether the weather still applies; at the end of a seed it clears.</summary>
    public bool IsRough { get; set; } = true;

    public long Dropped { get; private set; }

    public long Duplicated { get; private set; }

    public long Overtaken { get; private set; }

    public long Held { get; private set; }

    public bool IsCut(string from, string to) => cuts.ContainsKey((from, to));

    /// <summary>When a link was last changed, cut or healed.</summary>
    public TimeSpan LastChange { get; private set; }

    /// <summary>Messages from one machine to another stay under way until the link heals; connections that wait for it too long end.</summary>
    public void Cut(string from, string to)
    {
        var since = time.Now;
        LastChange = since;
        if (!cuts.TryAdd((from, to), since))
            return;
        time.In(KeepAlive, () =>
        {
            if (!cuts.TryGetValue((from, to), out var began) || began != since)
                return;
            foreach (var connection in connections.Where(c => c.Joins(from, to)).ToList())
                connection.Break();
        });
    }

    /// <summary>The link works again, and what was under way arrives.</summary>
    public void Heal(string from, string to)
    {
        if (!cuts.Remove((from, to)))
            return;
        LastChange = time.Now;
        var freed = held.Where(h => h.From == from && h.To == to).ToList();
        held.RemoveAll(h => h.From == from && h.To == to);
        foreach (var message in freed)
            time.In(weather.Most, message.Deliver);
    }

    public void HealAll()
    {
        foreach (var (from, to) in cuts.Keys.ToList())
            Heal(from, to);
    }

    public TimeSpan Delay() => IsRough && weather.SlowOneIn > 0 && draws.OneIn(weather.SlowOneIn)
        ? draws.Milliseconds(50, 1000)
        : draws.Between(weather.Least, weather.Most);

    /// <summary>Whether messages that are under way when a connection ends can still arrive.</summary>
    public bool OutlivesItsConnection() => IsRough && draws.OneIn(2);

    /// <summary>By how much a message that others overtake is late.</summary>
    public TimeSpan Lateness() => draws.OneIn(3) ? draws.Milliseconds(50, 1500) : Delay() + Delay();

    /// <summary>How long one end does not know that the other has ended a connection.</summary>
    public TimeSpan DelayOfEnd() => IsRough && draws.OneIn(4) ? draws.Milliseconds(100, 3000) : Delay();

    /// <summary>What becomes of the next message on a connection.</summary>
    public Fate NextFate()
    {
        if (!IsRough)
            return Fate.Arrives;
        if (weather.DropOneIn > 0 && draws.OneIn(weather.DropOneIn))
        {
            Dropped++;
            return Fate.Lost;
        }

        if (weather.DuplicateOneIn > 0 && draws.OneIn(weather.DuplicateOneIn))
        {
            Duplicated++;
            return Fate.Twice;
        }

        if (weather.OvertakeOneIn > 0 && draws.OneIn(weather.OvertakeOneIn))
        {
            Overtaken++;
            return Fate.Overtaken;
        }

        return Fate.Arrives;
    }

    /// <summary>Delivers at a moment, or when the link heals.</summary>
    public void Deliver(string from, string to, TimeSpan moment, Action deliver) => time.At(moment, () =>
    {
        if (!cuts.ContainsKey((from, to)))
        {
            deliver();
            return;
        }

        Held++;
        held.Add((from, to, deliver));
    });

    /// <summary>Opens a connection, or reports in words why there is none.</summary>
    public void Connect(SimulatedProcess from, SimulatedProcess? to, Action<Connection> connected, Action<string> failed)
    {
        var there = to is { IsAlive: true } && !IsCut(from.Machine, to.Machine) && !IsCut(to.Machine, from.Machine);
        if (!there)
        {
            // A dead process refuses at once; a cut link says nothing until the attempt is given up.
            var silent = to is { IsAlive: true };
            from.In(silent ? TimeSpan.FromSeconds(5) : Delay(), () => failed("cannot connect"));
            return;
        }

        from.In(Delay(), () =>
        {
            if (!to!.IsAlive)
            {
                failed("connection refused");
                return;
            }

            var connection = new Connection(this, time, from, to);
            connections.RemoveAll(c => c.IsBroken);
            connections.Add(connection);
            connected(connection);
        });
    }
}

/// <summary>What becomes of one message.</summary>
internal enum Fate
{
    Arrives,
    Lost,
    Twice,
    Overtaken,
}
