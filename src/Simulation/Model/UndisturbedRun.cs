using AdderNet.Core.Sharding;

namespace AdderNet.Simulation.Model;

/// <summary>The run as one machine alone would make it: what every replica must equal, bit for bit.</summary>
internal sealed class UndisturbedRun
{
    private readonly ulong[] states;
    private readonly ulong[] voted;
    private readonly float[] losses;

    /// <param name="model">The arithmetic.</param>
    /// <param name="steps">Steps of the whole run.</param>
    public UndisturbedRun(GradientModel model, long steps)
    {
        states = new ulong[steps + 1];
        voted = new ulong[steps + 1];
        losses = new float[steps + 1];
        states[0] = GradientModel.Initial;
        for (var step = 1; step <= steps; step++)
        {
            var root = model.Compute(states[step - 1], step, new ShardRange(0, model.Shards)).Single();
            losses[step] = GradientModel.LossOf(root.Values);
            voted[step] = GradientModel.VotedHash(root.Values, root.Counts);
            states[step] = GradientModel.Apply(states[step - 1], root.Values, root.Counts.FirstNonFinite != 0);
        }
    }

    public long Steps => states.Length - 1;

    /// <summary>Weights after a step.</summary>
    public ulong State(long step) => states[step];

    /// <summary>Loss of a step.</summary>
    public float Loss(long step) => losses[step];

    /// <summary>The hash that every member votes for a step.</summary>
    public ulong Voted(long step) => voted[step];
}
