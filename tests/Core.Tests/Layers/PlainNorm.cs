namespace AdderNet.Core.Tests.Layers;

/// <summary>The passes of a batch norm with join and ReLU as docs/determinism.md states them, element by element: the oracle of the fused loops.</summary>
internal sealed class PlainNorm
{
    private const int Unit = 8;
    private const int BlockGroups = 256;
    private readonly DrawnMap map;
    private readonly int lanes;

    public PlainNorm(DrawnMap map, bool adds, bool rectifies, bool shared)
    {
        this.map = map;
        lanes = map.Channels;
        while (lanes % Unit != 0)
            lanes += map.Channels;
        Y = new float[map.X.Length];
        G = (float[])map.G.Clone();
        Dx = new float[map.X.Length];
        var open = new bool[map.X.Length];
        for (var i = 0; i < map.X.Length; i++)
        {
            var c = i % map.Channels;
            var value = Distance(i) * map.Scale[c] + map.Shift[c];
            var output = adds ? (float)(value + map.Other[i]) : (float)value;
            open[i] = !rectifies || output > 0;
            Y[i] = open[i] ? output : 0f;
        }

        float Closed(int i) => !open[i] ? 0f : shared ? map.G[i] + map.Added[i] : map.G[i];

        (First, Second) = Sums(Distance, i => Distance(i) * Distance(i));
        (GradientFirst, GradientSecond) = Sums(i => Closed(i), i => Closed(i) * Distance(i));
        for (var i = 0; i < map.X.Length; i++)
        {
            var c = i % map.Channels;
            Dx[i] = (float)(map.Scale[c] * (Closed(i) - map.Average[c] - Distance(i) * map.Slope[c]));
            // Behind a join the gradient is the other map's too, so it is left closed.
            if (adds)
                G[i] = Closed(i);
        }
    }

    public float[] Y { get; }

    public float[] G { get; }

    public float[] Dx { get; }

    public double[] First { get; }

    public double[] Second { get; }

    public double[] GradientFirst { get; }

    public double[] GradientSecond { get; }

    private double Distance(int i) => map.X[i] - map.Mean[i % map.Channels];

    private (double[] First, double[] Second) Sums(Func<int, double> first, Func<int, double> second) => (Sum(first), Sum(second));

    /// <summary>Lane by lane over the groups of a block, block after block, then what fills no group, then over a channel's lanes.</summary>
    private double[] Sum(Func<int, double> term)
    {
        var groups = map.X.Length / lanes;
        var sums = new double[map.Channels];
        for (var lane = 0; lane < lanes; lane++)
        {
            var total = 0.0;
            for (var block = 0; block < groups; block += BlockGroups)
            {
                var sum = 0.0;
                for (var group = block; group < Math.Min(block + BlockGroups, groups); group++)
                    sum += term(group * lanes + lane);
                total += sum;
            }

            if (groups * lanes + lane < map.X.Length)
                total += term(groups * lanes + lane);
            sums[lane % map.Channels] += total;
        }

        return sums;
    }
}
