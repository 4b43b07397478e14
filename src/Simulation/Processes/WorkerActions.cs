using AdderNet.Core.Sharding;
using AdderNet.Simulation.Faults;
using AdderNet.Simulation.Model;
using AdderNet.Simulation.Processes.Exchange;
using AdderNet.Simulation.Store;
using AdderNet.Worker.Membership;

namespace AdderNet.Simulation.Processes;

/// <summary>Does what the member machine decides: work that takes time, and what is done at once.</summary>
internal sealed class WorkerActions(World world, SimulatedWorker self)
{
    private readonly List<StepExchange> followed = [];
    private IReadOnlyList<NodeSum> sums = [];
    private StepExchange? exchange;
    private long current;
    private bool aborted;
    private double computeSeconds;

    public void Perform(MemberAction action)
    {
        switch (action)
        {
            case EnterGeneration enter:
                Pass(Site.Enter, enter.Work, () => Enter(enter));
                break;
            case ComputeStep compute:
                Pass(Site.Compute, compute.Work, () => Compute(compute));
                break;
            case ExchangeStep exchangeStep:
                Pass(Site.Exchange, exchangeStep.Work, () => Exchange(exchangeStep));
                break;
            case ApplyStep apply:
                Pass(Site.Apply, apply.Work, () => Apply(apply));
                break;
            case EvaluateBlocks evaluate:
                Pass(Site.EvaluateBlocks, evaluate.Work, () => Evaluate(evaluate));
                break;
            case AbortWork abort when abort.Work == current:
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
                self.Do(() => Follow(take));
                break;
            case DropMeans drop:
                GiveUpFollowing();
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

    private void Pass(Site site, long work, Action begin)
    {
        (current, aborted) = (work, false);
        world.Pass(site, self);
        self.Do(begin);
    }

    /// <summary>Something of the present work, later; nothing once it was told to end.</summary>
    private void Later(long work, TimeSpan after, Action happening) => self.In(after, () =>
    {
        if (current == work && !aborted)
            happening();
    });

    private void Abort(long work)
    {
        aborted = true;
        exchange?.GiveUp();
        self.Waits = false;
        if (!self.IsHung)
            self.In(world.Work.Milliseconds(0.1, 10), () => self.Feed(new WorkAborted(work)));
    }

    private void Enter(EnterGeneration enter)
    {
        var view = enter.View;
        exchange?.GiveUp();
        self.Pieces.BeginGeneration(view.RunId, view.Generation, view.BaseStep);
        self.Shelf.BeginGeneration(view.Generation);
        switch (enter.Route)
        {
            case Stay:
                Reached(enter);
                break;
            case ApplyHeld held:
                ApplyAll(enter, held, 0);
                break;
            case Download download:
                self.Waits = true;
                Download(enter, download.Sources, 0);
                break;
            case LoadCheckpoint load:
                Later(enter.Work, world.Work.Milliseconds(10, 100), () =>
                {
                    if (self.Replica.TryLoad(world.Disk.Read(World.Below(load.Path))))
                        Reached(enter);
                    else
                        self.Feed(new WorkFailed(enter.Work, $"{load.Path} is damaged", ""));
                });
                break;
            case StartOver:
                self.Replica.Take(0, GradientModel.Initial);
                Reached(enter);
                break;
        }
    }

    private void ApplyAll(EnterGeneration enter, ApplyHeld held, int next)
    {
        if (next == held.Steps.Count)
        {
            Reached(enter);
            return;
        }

        var step = held.Steps[next];
        Later(enter.Work, world.Work.Milliseconds(0.5, 5), () =>
        {
            if (self.Replica.Apply(step.Step, step.Commit?.Skip ?? self.Member!.Skips(step.Facts!)) is { } why)
                self.Feed(new ApplyFailed(enter.Work, why));
            else
                ApplyAll(enter, held, next + 1);
        });
    }

    private void Download(EnterGeneration enter, IReadOnlyList<MemberInfo> sources, int next)
    {
        if (next == sources.Count)
        {
            self.Waits = false;
            self.Feed(new WorkFailed(enter.Work, $"no source could give the state of step {enter.View.BaseStep}", sources[^1].WorkerId));
            return;
        }

        world.Pass(Site.Download, self);
        var call = self.Calls.To<ulong>(
            sources[next].WorkerId,
            (server, serve, refuse) =>
            {
                world.Pass(Site.Serve, server);
                server.Do(() => server.Shelf.Ask(server.Replica.IsSpoiled ? long.MinValue : enter.View.Generation, enter.View.BaseStep, state => server.In(world.Work.Milliseconds(5, 200), () => serve(state)), refuse));
            },
            state => Later(enter.Work, TimeSpan.Zero, () =>
            {
                self.Waits = false;
                self.Replica.Take(enter.View.BaseStep, state);
                Reached(enter);
            }),
            _ => Later(enter.Work, TimeSpan.Zero, () => Download(enter, sources, next + 1)));
        Later(enter.Work, TimeSpan.FromSeconds(30), () => call.Fail("the source did not answer"));
    }

    private void Reached(EnterGeneration enter)
    {
        if (self.Replica.Applied != enter.View.BaseStep)
            self.Feed(new WorkFailed(enter.Work, $"after {enter.Route.GetType().Name} this member is at step {self.Replica.Applied}", ""));
        else
        {
            Spoil(enter.View);
            self.Feed(new BaseReached(enter.Work, self.Replica.StateHash));
        }
    }

    /// <summary>Bits of a state can flip on its way here; where nobody else stands nobody could see it.</summary>
    private void Spoil(GenerationView view)
    {
        if (!self.SpoilsNextBase || self.Member!.Observes || view.Sources.Contains(self.Name) || view.Members.Count(m => m.Votes) < 2)
            return;
        self.SpoilsNextBase = false;
        self.Replica.Spoil();
        world.Story.Tell(world.Time.Now, self.Name, $"reaches step {view.BaseStep} with a flipped bit");
    }

    private void Compute(ComputeStep compute)
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

            if (self.HangsNext)
            {
                (self.HangsNext, self.IsHung) = (false, true);
                world.Story.Tell(world.Time.Now, self.Name, $"hangs in its computation");
                return;
            }

            var took = world.Scenario.Shard * self.Slowness + world.Work.Milliseconds(0, 2);
            computeSeconds += took.TotalSeconds;
            (took, alone) = (took + alone, TimeSpan.Zero);
            Later(compute.Work, took, () =>
            {
                self.Advance();
                Shard(done + 1);
            });
        }
    }

    /// <summary>How much longer it computes because it is to be alone meanwhile.</summary>
    private TimeSpan WorksAlone()
    {
        if (!self.WorksAloneNext || world.Workers.Count < 2)
            return TimeSpan.Zero;
        self.WorksAloneNext = false;
        self.LeaveSession(world.Work.Milliseconds(1000, 1500));
        return world.Work.Milliseconds(500, 900);
    }

    private void Exchange(ExchangeStep work)
    {
        self.Waits = true;
        exchange = new StepExchange(
            self.Member!.View!, self, work.Step,
            (mean, counts) => Later(work.Work, TimeSpan.Zero, () => Reduced(work, mean, counts)),
            (why, peer) => Later(work.Work, TimeSpan.Zero, () =>
            {
                self.Waits = false;
                self.Feed(new WorkFailed(work.Work, why, peer));
            }));
        exchange.Begin(sums);
    }

    private void Reduced(ExchangeStep work, ulong[] mean, StepCounts counts)
    {
        self.Waits = false;
        if (self.FlipsNext && self.Member!.View!.Members.Count(m => m.Votes) > 1)
        {
            // Every member's flip is its own; one that votes alone would only agree with itself.
            self.FlipsNext = false;
            mean[0] ^= Mixing.Of((ulong)self.Name.Length, self.Name[^1]) | 1;
            world.Watch.Flipped(self, work.Step);
            world.Story.Tell(world.Time.Now, self.Name, $"receives a mean of step {work.Step} with a flipped bit");
            if (self.LosesNextVote)
                self.LeaveSession(world.Work.Milliseconds(300, 1000));
            self.LosesNextVote = false;
        }

        self.Replica.Hold(work.Step, mean);
        var effort = new StepEffort(self.Member!.Me!.Range.Count, 100, computeSeconds, 0.001, 0);
        self.Feed(new StepReduced(work.Work, GradientModel.VotedHash(mean, counts), Facts(mean, counts), effort));
    }

    private static StepFacts Facts(ulong[] mean, StepCounts counts) =>
        new(GradientModel.LossOf(mean), counts.Samples, counts.Correct, 0.1, counts.FirstNonFinite);

    private void Apply(ApplyStep apply) => Later(apply.Work, world.Work.Milliseconds(0.5, 5), () =>
    {
        self.Shelf.MoveOn();
        if (self.FailsNextApply)
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

    private void Evaluate(EvaluateBlocks evaluate)
    {
        self.Shelf.MoveOn();
        var order = evaluate.Order;
        var blocks = Enumerable.Range(order.FirstBlock, order.EndBlock - order.FirstBlock).Select(block =>
        {
            var (samples, top1, top5, loss) = GradientModel.Evaluate(self.Replica.State, block, order.BlockSize);
            return new BlockSums(block, samples, top1, top5, loss);
        }).ToList();
        Later(evaluate.Work, world.Scenario.Shard * (self.Slowness * blocks.Count), () =>
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

    private void Follow(TakeMean take)
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

    private void GiveUpFollowing()
    {
        foreach (var one in followed)
            one.GiveUp();
        followed.Clear();
    }

    private TimeSpan Lateness()
    {
        if (!self.VotesLateNext || world.Workers.FirstOrDefault(w => w != self && w.ConnectedAt is not null) is not { } other)
            return default;
        self.VotesLateNext = false;
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
    }
}
