using AdderNet.Coordinator.RunLogic;
using AdderNet.Simulation.Network;
using AdderNet.Simulation.Processes;

namespace AdderNet.Simulation.Invariants;

/// <summary>When faults stop, steps are committed again within a bound; and nobody is given up who was well.</summary>
internal sealed class ProgressRules(World world, Action<string, string> blame)
{
    /// <summary>
    /// Longest pause once faults have stopped: connections to a machine that vanished are given up, a first generation has
    /// its patience, processes that start again and leases take some seconds more.
    /// </summary>
    public static readonly TimeSpan Bound = SimulatedNetwork.KeepAlive + Generations.PatienceForExpected + TimeSpan.FromSeconds(15);

    /// <summary>So much more for each worker that hangs: one that was never measured has ten minutes, and they are given up one at a time.</summary>
    public static readonly TimeSpan MoreForHung = Leases.PatienceWithoutMeasure;

    private TimeSpan lastMade;

    public void Made() => lastMade = world.Time.Now;

    public void Look()
    {
        if (!world.IsCalm)
            return;
        var since = lastMade > world.CalmSince ? lastMade : world.CalmSince;
        var bound = Bound + (MoreForHung * world.Workers.Count(w => w.IsHung));
        if (world.Time.Now - since > bound)
            blame("progress returns when faults stop", $"nothing was committed for {(world.Time.Now - since).TotalSeconds:0} s; {world.Holder?.Name ?? "no coordinator"} says: {world.Holder?.State?.Reason}");
    }

    /// <summary>A member whose present session is open is not given up because an earlier one closed.</summary>
    public void Decided(SimulatedCoordinator coordinator, RunState before, Decision decision)
    {
        foreach (var note in decision.Actions.OfType<Note>().Where(n => n.Kind == NoteKind.Evicted && n.Text.Contains("session stream closed", StringComparison.Ordinal)))
        {
            if (before.Members.TryGetValue(note.Text.Split(' ')[0], out var member) && coordinator.IsOpen(member.Session))
                blame("nobody is given up whose session is open", $"{coordinator.Name}: {note.Text}");
        }
    }

    public void Noted(SimulatedCoordinator coordinator, Note note)
    {
        if (note.Kind != NoteKind.Evicted || note.Text.Contains("left:", StringComparison.Ordinal) || world.Scenario.Weather is { SlowOneIn: > 0 } or { DropOneIn: > 0 })
            return;
        var worker = world.Worker(note.Text.Split(' ')[0]);
        if (worker is { IsAlive: true, IsHung: false, IsStopped: false, Next.Hangs: false } && worker.Exit is null && IsWell(worker) && IsWell(coordinator) && world.Time.Now - worker.BornAt > StepRules.Settled)
            blame("nobody is given up who is well", note.Text);
    }

    private bool IsWell(SimulatedProcess process) => process.DisturbedAt is not { } at || world.Time.Now - at > TimeSpan.FromSeconds(40);
}
