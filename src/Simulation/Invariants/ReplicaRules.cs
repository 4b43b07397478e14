using AdderNet.Simulation.Model;

namespace AdderNet.Simulation.Invariants;

/// <summary>Every replica, voter, spare or observer, holds the undisturbed run's state at every step, applies only what was committed, and never goes back.</summary>
internal sealed class ReplicaRules(World world, StepRules steps, Action<string, string> blame)
{
    private readonly Dictionary<string, (long Step, ulong State)> seen = [];

    public void Look()
    {
        foreach (var worker in world.Workers)
        {
            var (step, state) = (worker.Replica.Applied, worker.Replica.State);
            var (before, hash) = seen.GetValueOrDefault(worker.Name, (0, GradientModel.Initial));
            if ((step == before && state == hash) || worker.Replica.IsSpoiled)
                continue;
            seen[worker.Name] = (step, state);
            if (step < before)
                blame("no replica goes back", $"{worker.Name} goes from step {before} to {step}");
            else if (!steps.WasCommitted(step))
                blame("nothing is applied before its commit", $"{worker.Name} is at step {step}, which nobody has committed");
            else if (state != world.Undisturbed.State(step))
                blame("every replica is the undisturbed run's", $"{worker.Name} at step {step} holds {state:x16}; the undisturbed run has {world.Undisturbed.State(step):x16}");
        }
    }
}
