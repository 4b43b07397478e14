using AdderNet.Simulation.Faults;
using AdderNet.Simulation.Model;
using AdderNet.Simulation.Store;
using AdderNet.Worker.Membership;

namespace AdderNet.Simulation.Processes;

/// <summary>Does what the member machine decides: work that takes time, and what is done at once.</summary>
internal sealed class WorkerActions
{
    private readonly World world;
    private readonly SimulatedWorker self;
    private readonly WorkInProgress work;
    private readonly BaseRoutes routes;
    private readonly StepWork steps;

    public WorkerActions(World world, SimulatedWorker self)
    {
        (this.world, this.self) = (world, self);
        work = new WorkInProgress(self);
        routes = new BaseRoutes(world, self, work);
        steps = new StepWork(world, self, work);
    }

    public void Perform(MemberAction action)
    {
        switch (action)
        {
            case EnterGeneration enter:
                Pass(Site.Enter, enter.Work, () =>
                {
                    steps.GiveUp();
                    routes.Enter(enter);
                });
                break;
            case ComputeStep compute:
                Pass(Site.Compute, compute.Work, () => steps.Compute(compute));
                break;
            case ExchangeStep exchange:
                Pass(Site.Exchange, exchange.Work, () => steps.Exchange(exchange));
                break;
            case ApplyStep apply:
                Pass(Site.Apply, apply.Work, () => steps.Apply(apply));
                break;
            case EvaluateBlocks evaluate:
                Pass(Site.EvaluateBlocks, evaluate.Work, () => Evaluate(evaluate));
                break;
            case AbortWork abort when abort.Work == work.Current:
                Abort(abort.Work);
                break;
            case WriteFile write:
                world.Pass(Site.WriteFile, self);
                self.Do(() => Write(write.Order));
                break;
            case OfferState offer:
                self.Shelf.Offer(offer.Step, self.Replica.State, offer.Keep);
                break;
            case TakeMean take:
                world.Pass(Site.TakeMean, self);
                self.Do(() => steps.Follow(take));
                break;
            case DropMeans drop:
                steps.GiveUpFollowing();
                self.Replica.Drop(step => step > drop.Keep);
                break;
            case Tell tell:
                Tell(tell);
                break;
            case Finish finish:
                self.End(finish.Failed, finish.Reason);
                break;
        }
    }

    private void Pass(Site site, long number, Action begin)
    {
        work.Begin(number);
        world.Pass(site, self);
        self.Do(begin);
    }

    private void Abort(long number)
    {
        work.Abort();
        steps.GiveUp();
        self.Waits = false;
        if (!self.IsHung)
            self.In(world.Work.Milliseconds(0.1, 10), () => self.Feed(new WorkAborted(number)));
    }

    private void Evaluate(EvaluateBlocks evaluate)
    {
        self.Shelf.MoveOn();
        var order = evaluate.Order;
        var blocks = Enumerable.Range(order.FirstBlock, order.EndBlock - order.FirstBlock).Select(block =>
        {
            var (samples, top1, top5, loss) = GradientModel.Evaluate(self.Replica.State, block, order.BlockSize);
            return new BlockSums(block, samples, top1, top5, loss);
        }).ToList();
        work.Later(evaluate.Work, world.Scenario.Shard * (self.Slowness * blocks.Count), () =>
        {
            self.Advance();
            self.Feed(new BlocksEvaluated(evaluate.Work, blocks));
        });
    }

    private void Write(CheckpointOrder order)
    {
        var copy = new StateFile(self.Replica.Applied, self.Replica.State, true, order.WeightsOnly);
        self.In(world.Work.Milliseconds(5, 300), () =>
        {
            if (world.DiskIsFull)
            {
                self.Feed(new FileFailed(order, "no space left on device"));
                return;
            }

            world.Disk.Write(order.File, copy);
            self.Feed(new FileWritten(order, new WrittenFile(order.File, copy.Sha256, StateFile.Bytes, self.Replica.StateHash, 0, 0)));
        });
    }

    private TimeSpan Lateness()
    {
        if (!self.Next.VotesLate || world.Workers.FirstOrDefault(w => w != self && w.ConnectedAt is not null) is not { } other)
            return default;
        self.Next.VotesLate = false;
        other.Disturb();
        other.LeaveSession(world.Work.Milliseconds(1, 100));
        return world.Work.Milliseconds(100, 600);
    }

    private void Tell(Tell tell)
    {
        var site = tell.Report is VoteReport ? Site.Vote : Site.Report;
        if (tell.Report is VoteReport vote)
            world.Watch.Voted(self, tell.Generation, tell.Step, vote.Hash);
        world.Pass(site, self);
        self.Do(() => self.Send(PreparedWire.Of(world, self, tell), site == Site.Vote ? Lateness() : default));
        if (tell.Report is PreparedReport && self.Next.RepeatsReport)
        {
            self.Next.RepeatsReport = false;
            self.Do(() => self.Send(PreparedWire.Of(world, self, tell), world.Work.Milliseconds(100, 2000)));
        }
    }
}
