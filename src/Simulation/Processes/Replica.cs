using AdderNet.Simulation.Model;
using AdderNet.Simulation.Store;

namespace AdderNet.Simulation.Processes;

/// <summary>One copy of the model: how many steps it applied, and the hash of its state. Holds means until they are applied.</summary>
internal sealed class Replica
{
    private readonly Dictionary<long, ulong[]> means = [];

    public long Applied { get; private set; }

    public ulong State { get; private set; } = GradientModel.Initial;

    /// <summary>Its bits were flipped by a fault since it last took a state.</summary>
    public bool IsSpoiled { get; private set; }

    /// <summary>What the member says of its state.</summary>
    public string StateHash => $"{State:x16}";

    public void Hold(long step, ulong[] mean) => means[step] = mean;

    public void Drop(Func<long, bool> which)
    {
        foreach (var step in means.Keys.Where(which).ToList())
            means.Remove(step);
    }

    /// <summary>Applies a held mean.</summary>
    /// <returns>Why not, or null.</returns>
    public string? Apply(long step, bool skip)
    {
        if (step != Applied + 1 || !means.Remove(step, out var mean))
            return $"step {step} cannot be applied to a replica at step {Applied}";
        State = GradientModel.Apply(State, mean, skip);
        Applied = step;
        return null;
    }

    /// <summary>Takes another replica's state.</summary>
    public void Take(long step, ulong state) => (Applied, State, IsSpoiled) = (step, state, false);

    /// <summary>A bit of it flips.</summary>
    public void Spoil() => (State, IsSpoiled) = (State ^ 1, true);

    /// <summary>The bit that flipped flips back.</summary>
    public void Mend() => (State, IsSpoiled) = (State ^ 1, false);

    /// <summary>Takes a file's state; false when it is missing or damaged.</summary>
    public bool TryLoad(StateFile? file)
    {
        if (file is not { IsWhole: true, WeightsOnly: false })
            return false;
        Take(file.Step, file.State);
        return true;
    }
}
