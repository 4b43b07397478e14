using AdderNet.Worker.Exchange;
using AdderNet.Worker.Membership;

namespace AdderNet.Simulation.Processes.Exchange;

/// <summary>Asks the other voters for a sign of life while nothing else comes from them, as a worker's <see cref="NeighbourWatch"/> does.</summary>
internal sealed class SimulatedWatch
{
    private readonly World world;
    private readonly SimulatedWorker self;
    private readonly Action changed;
    private readonly Silence silence;
    private readonly TimeSpan period;
    private readonly HashSet<string> asked = [];

    /// <param name="world">Where it lives.</param>
    /// <param name="self">Whose neighbours are watched.</param>
    /// <param name="changed">Called when <see cref="Silent"/> has changed.</param>
    public SimulatedWatch(World world, SimulatedWorker self, Action changed)
    {
        (this.world, this.self, this.changed) = (world, self, changed);
        silence = new Silence(world.Scenario.Plan.Lease);
        period = Silence.Period(world.Scenario.Plan.Lease);
        self.In(period, Look);
    }

    /// <summary>From whom nothing came for a lease.</summary>
    public IReadOnlyList<string> Silent { get; private set; } = [];

    public void Follow(GenerationView view) => silence.Follow(
        view.Find(self.Name) is { Votes: true } ? [.. view.Members.Where(m => m.Votes && m.WorkerId != self.Name).Select(m => m.WorkerId)] : [], world.Time.Now);

    public void Heard(string neighbour) => silence.Heard(neighbour, world.Time.Now);

    private void Look()
    {
        var (ask, silent) = silence.Look(world.Time.Now);
        if (!silent.SequenceEqual(Silent, StringComparer.Ordinal))
        {
            Silent = silent;
            changed();
        }

        foreach (var neighbour in ask.Where(asked.Add))
        {
            self.Calls.To<bool>(
                neighbour,
                (_, serve, _) => serve(true),
                _ =>
                {
                    asked.Remove(neighbour);
                    Heard(neighbour);
                },
                _ => asked.Remove(neighbour));
        }

        self.In(period, Look);
    }
}
