using AdderNet.Worker.Exchange;

namespace AdderNet.Cli.Benchmarks.Exchange;

/// <summary>What is reduced by whom.</summary>
/// <param name="Members">Workers that compute, C.</param>
/// <param name="GroupSize">As <c>exchange.group_size</c>; 0 and 1: no groups.</param>
/// <param name="Bytes">Of the gradient.</param>
/// <param name="BucketBytes">Target size of a bucket.</param>
internal sealed record ExchangeShape(int Members, int GroupSize, double Bytes, double BucketBytes)
{
    /// <summary>Number of groups, n.</summary>
    public int Groups => GroupSize <= 1 ? 1 : (Members + GroupSize - 1) / GroupSize;

    /// <summary>Buckets, as the exchange cuts them.</summary>
    public double Buckets => BucketPlan.Count((long)(Bytes / sizeof(float)), (long)BucketBytes, Members);

    /// <summary>Pieces that a member takes in, and as many that it gives: each is one bucket's sums or mean.</summary>
    public double Pieces => 2 * Buckets * (1 - (1.0 / Members));

    /// <summary>Bytes that a member takes in, and as many that it gives; groups do not change it.</summary>
    public double Traffic => Pieces * Bytes / Buckets;

    /// <summary>The part of <see cref="Traffic"/> that comes from other groups: 2(n-1)/C gradients.</summary>
    public double TrafficBetweenGroups => 2 * Bytes * (Groups - 1) / Members;

    /// <summary>What would come from beyond groups of that size if the exchange had none: 2(C-C/n)/C gradients.</summary>
    public double TrafficBeyondWithoutGroups(int groups) => 2 * Bytes * (1 - (1.0 / groups));

    /// <summary>Messages that wait for each other, one behind the other: request, sum and mean; with groups the group's sum and the mean handed on too.</summary>
    public int Hops => Members == 1 ? 0 : Groups == 1 ? 3 : 5;
}

/// <summary>What a piece and a byte cost a processor, sending and receiving together.</summary>
/// <param name="Step">Seconds of an exchange, whatever its size.</param>
/// <param name="Piece">Seconds a piece.</param>
/// <param name="Byte">Seconds a byte.</param>
/// <param name="Cores">Cores of a worker's machine that the exchange gets.</param>
internal sealed record ProcessorCost(double Step, double Piece, double Byte, double Cores)
{
    /// <summary>Seconds for one member's part.</summary>
    public double Of(ExchangeShape shape) => Step + (((shape.Pieces * Piece) + (shape.Traffic * Byte)) / Cores);
}

/// <summary>A network of equal machines below switches.</summary>
/// <param name="BytesPerSecond">Of each machine, in each direction.</param>
/// <param name="Latency">Seconds one way.</param>
/// <param name="Oversubscription">What the machines below one switch could send at once over what leaves the switch.</param>
internal sealed record NetworkCost(double BytesPerSecond, double Latency, double Oversubscription);

/// <summary>
/// The cost of an exchange: the slowest of what the machine's link, the links between switches and the processor need, since
/// they work at the same time, and the hops of the last bucket, which nothing hides.
/// </summary>
internal static class ExchangeCost
{
    /// <param name="shape">What is reduced.</param>
    /// <param name="processor">Of each machine.</param>
    /// <param name="network">Between them.</param>
    /// <param name="beyond">Bytes that a member takes in from beyond its switch.</param>
    /// <returns>Seconds, and which of the three needs the most.</returns>
    public static (double Seconds, string Bound) Of(ExchangeShape shape, ProcessorCost processor, NetworkCost network, double beyond)
    {
        (double Seconds, string Bound)[] needs =
        [
            (shape.Traffic / network.BytesPerSecond, "link"),
            (beyond * network.Oversubscription / network.BytesPerSecond, "between switches"),
            (processor.Of(shape), "processor"),
        ];
        var most = needs.MaxBy(n => n.Seconds);
        var bucket = shape.Members == 1 ? 0 : shape.Bytes / shape.Buckets / network.BytesPerSecond;
        return (most.Seconds + (shape.Hops * (network.Latency + bucket)), most.Bound);
    }
}
