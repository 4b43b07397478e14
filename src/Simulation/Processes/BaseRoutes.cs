using AdderNet.Simulation.Faults;
using AdderNet.Simulation.Model;
using AdderNet.Worker.Membership;

namespace AdderNet.Simulation.Processes;

/// <summary>How a worker reaches the base of a generation: it stays, applies what it holds, downloads, loads a checkpoint or starts over.</summary>
internal sealed class BaseRoutes(World world, SimulatedWorker self, WorkInProgress work)
{
    /// <summary>Enters a generation by the route that the machine chose.</summary>
    public void Enter(EnterGeneration enter)
    {
        var view = enter.View;
        self.Neighbours.Follow(view);
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
                work.Later(enter.Work, world.Work.Milliseconds(10, 100), () =>
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
        work.Later(enter.Work, world.Work.Milliseconds(0.5, 5), () =>
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
            state => work.Later(enter.Work, TimeSpan.Zero, () =>
            {
                self.Waits = false;
                self.Replica.Take(enter.View.BaseStep, state);
                Reached(enter);
            }),
            _ => work.Later(enter.Work, TimeSpan.Zero, () => Download(enter, sources, next + 1)));
        work.Later(enter.Work, TimeSpan.FromSeconds(30), () => call.Fail("the source did not answer"));
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

    /// <summary>
    /// Bits of a state can flip on its way here; where nobody else stands nobody could see it. One that flipped in a larger
    /// generation, whose other members were gone before anything was compared, flips back: all have to begin from it (seed 17250).
    /// </summary>
    private void Spoil(GenerationView view)
    {
        if (self.Replica.IsSpoiled && (view.Members.Count(m => m.Votes) < 2 || view.Sources.All(id => id == self.Name)))
            self.Replica.Mend();
        if (!self.Next.SpoilsBase || self.Member!.Observes || view.Sources.Contains(self.Name) || view.Members.Count(m => m.Votes) < 2)
            return;
        self.Next.SpoilsBase = false;
        self.Replica.Spoil();
        world.Story.Tell(world.Time.Now, self.Name, $"reaches step {view.BaseStep} with a flipped bit");
    }
}
