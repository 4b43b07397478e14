using AdderNet.Core.Numerics;

namespace AdderNet.Simulation;

/// <summary>What a stream of draws decides. Streams share nothing, so that one more fault does not change every delay.</summary>
internal enum DrawStream : uint
{
    Scenario = 1,
    Network = 2,
    Faults = 3,
    Work = 4,
    Store = 5,
    Exchange = 6,
}

/// <summary>One stream of a seed's random decisions.</summary>
internal sealed class Draws(long seed, DrawStream stream)
{
    private Philox philox = new(seed, DrawPurpose.Simulation, (uint)stream);

    /// <summary>Uniform in [0, <paramref name="bound"/>).</summary>
    public int Below(int bound) => philox.NextBelow(bound);

    /// <summary>Uniform in [<paramref name="least"/>, <paramref name="most"/>].</summary>
    public int Between(int least, int most) => least + philox.NextBelow(most - least + 1);

    /// <summary>True once in <paramref name="times"/>.</summary>
    public bool OneIn(int times) => philox.NextBelow(times) == 0;

    /// <summary>Uniform between two times.</summary>
    public TimeSpan Between(TimeSpan least, TimeSpan most) =>
        TimeSpan.FromTicks(least.Ticks + (long)(philox.NextDouble() * (most - least).Ticks));

    public TimeSpan Milliseconds(double least, double most) =>
        Between(TimeSpan.FromMilliseconds(least), TimeSpan.FromMilliseconds(most));

    public T Of<T>(IReadOnlyList<T> choices) => choices[philox.NextBelow(choices.Count)];
}
