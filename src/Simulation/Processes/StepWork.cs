using AdderNet.Core.Sharding;
using AdderNet.Simulation.Model;
using AdderNet.Simulation.Processes.Exchange;
using AdderNet.Worker.Membership;

namespace AdderNet.Simulation.Processes;

/// <summary>A worker's part in a step: computes, exchanges and applies; as an observer it takes the means of others.</summary>
internal sealed class StepWork(World world, SimulatedWorker self, WorkInProgress work)
{
    private readonly List<StepExchange> followed = [];
    private IReadOnlyList<NodeSum> sums = [];
    private StepExchange? exchange;
    private double computeSeconds;

    /// <summary>Computes the sums of its shards, one after another.</summary>
    public void Compute(ComputeStep compute)
    {
        self.Shelf.MoveOn();
        self.Pieces.BeginStep(compute.Step);
        var range = self.Member!.Me!.Range;
        computeSeconds = 0;
        var alone = WorksAlone();
        Shard(0);

        void Shard(int done)
        {
            if (done == range.Count)
            {
                sums = self.Model.Compute(self.Replica.State, compute.Step, range);
                world.Watch.Computed(self, compute.Step, range);
                self.Feed(new StepComputed(compute.Work));
                return;
            }

            if (self.Next.Hangs)
            {
                (self.Next.Hangs, self.IsHung) = (false, true);
                world.Story.Tell(world.Time.Now, self.Name, $"hangs in its computation");
                return;
            }

            var took = world.Scenario.Shard * self.Slowness + world.Work.Milliseconds(0, 2);
            computeSeconds += took.TotalSeconds;
            (took, alone) = (took + alone, TimeSpan.Zero);
            work.Later(compute.Work, took, () =>
            {
                self.Advance();
                Shard(done + 1);
            });
        }
    }

    /// <summary>How much longer it computes because it is to be alone meanwhile.</summary>
    private TimeSpan WorksAlone()
    {
        if (!self.Next.WorksAlone || world.Workers.Count < 2)
            return TimeSpan.Zero;
        self.Next.WorksAlone = false;
        self.LeaveSession(world.Work.Milliseconds(1000, 1500));
        return world.Work.Milliseconds(500, 900);
    }

    /// <summary>Sums over all members.</summary>
    public void Exchange(ExchangeStep order)
    {
        self.Waits = true;
        exchange = new StepExchange(
            self.Member!.View!, self, order.Step,
            (mean, counts) => work.Later(order.Work, TimeSpan.Zero, () => Reduced(order, mean, counts)),
            (why, peer) => work.Later(order.Work, TimeSpan.Zero, () =>
            {
                self.Waits = false;
                self.Feed(new WorkFailed(order.Work, why, peer));
            }));
        exchange.Begin(sums);
    }

    private void Reduced(ExchangeStep order, ulong[] mean, StepCounts counts)
    {
        self.Waits = false;
        if (self.Next.Flips && self.Member!.View!.Members.Count(m => m.Votes) > 1)
        {
            // Every member's flip is its own; one that votes alone would only agree with itself.
            self.Next.Flips = false;
            mean[0] ^= Mixing.Of((ulong)self.Name.Length, self.Name[^1]) | 1;
            world.Watch.Flipped(self, order.Step);
            world.Story.Tell(world.Time.Now, self.Name, $"receives a mean of step {order.Step} with a flipped bit");
            if (self.Next.LosesVote)
                self.LeaveSession(world.Work.Milliseconds(300, 1000));
            self.Next.LosesVote = false;
        }

        self.Replica.Hold(order.Step, mean);
        var effort = new StepEffort(self.Member!.Me!.Range.Count, 100, computeSeconds, 0.001, 0);
        self.Feed(new StepReduced(order.Work, GradientModel.VotedHash(mean, counts), Facts(mean, counts), effort));
    }

    private static StepFacts Facts(ulong[] mean, StepCounts counts) =>
        new(GradientModel.LossOf(mean), counts.Samples, counts.Correct, 0.1, counts.FirstNonFinite);

    /// <summary>Applies a committed step.</summary>
    public void Apply(ApplyStep apply) => work.Later(apply.Work, world.Work.Milliseconds(0.5, 5), () =>
    {
        self.Shelf.MoveOn();
        if (self.Next.FailsApply)
        {
            self.Feed(new ApplyFailed(apply.Work, "out of memory while applying"));
            return;
        }

        if (self.Replica.Apply(apply.Step, apply.Skip) is { } why)
        {
            self.Feed(new ApplyFailed(apply.Work, why));
            return;
        }

        self.Advance();
        self.Feed(new StepApplied(apply.Work));
    });

    /// <summary>Takes a finished mean as an observer.</summary>
    public void Follow(TakeMean take)
    {
        if (self.Member?.View is not { } view || view.Generation != take.Generation)
            return;
        StepExchange? mine = null;
        mine = new StepExchange(
            view, self, take.Step,
            (mean, counts) =>
            {
                followed.Remove(mine!);
                self.Replica.Hold(take.Step, mean);
                self.Feed(new MeanTaken(take.Generation, take.Step, GradientModel.VotedHash(mean, counts), Facts(mean, counts)));
            },
            (why, _) =>
            {
                followed.Remove(mine!);
                self.Feed(new MeanMissed(take.Generation, take.Step, why));
            });
        followed.Add(mine);
        mine.Begin(null);
    }

    /// <summary>Nothing that still arrives for the present exchange counts.</summary>
    public void GiveUp() => exchange?.GiveUp();

    /// <summary>Nothing that still arrives for followed steps counts.</summary>
    public void GiveUpFollowing()
    {
        foreach (var one in followed)
            one.GiveUp();
        followed.Clear();
    }
}
