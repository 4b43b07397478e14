using AdderNet.Coordinator.Hosting;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Coordinator.Store;
using AdderNet.Simulation.Faults;
using AdderNet.Simulation.Network;
using AdderNet.Simulation.Store;

namespace AdderNet.Simulation.Processes;

/// <summary>Carries a simulated coordinator's decisions out in order, each action complete before the next begins.</summary>
/// <param name="world">Where it lives.</param>
/// <param name="self">Whose decisions.</param>
/// <param name="sessionOf">The connection of a session that is open, or null.</param>
/// <param name="lose">Lets go of the run, for a reason in words.</param>
/// <param name="finished">Called when a decision is carried out, or what is left of it dropped.</param>
internal sealed class SimulatedExecutor(
    World world, SimulatedCoordinator self, Func<long, Connection?> sessionOf, Action<string> lose, Action finished)
{
    private List<MetricsLine>? metrics;

    /// <summary>Performs a decision's actions from the given one on; it goes on by itself when one takes time.</summary>
    public void Perform(Decision decision, int next)
    {
        for (; next < decision.Actions.Length; next++)
        {
            var action = decision.Actions[next];
            world.Pass(Sites.Before(action), self);
            if (!self.IsAlive)
                return;
            if (self.IsStopped)
            {
                var at = next;
                self.Do(() => Perform(decision, at));
                return;
            }

            if (IsOfStore(action))
            {
                var (at, wait) = (next, world.StoreDelay());
                self.In(wait, () =>
                {
                    if (TryWrite(decision, action))
                        Perform(decision, at + 1);
                    else
                        finished();
                });
                return;
            }

            Perform(action);
        }

        finished();
    }

    /// <summary>One action of the store or the disk; false when it failed and the rest of the decision is dropped.</summary>
    private bool TryWrite(Decision decision, RunAction action)
    {
        try
        {
            if (world.StoreFails(self))
                throw new StoreException("the store is away");
            Write(action);
            return true;
        }
        catch (FencingLostException e)
        {
            lose(e.Message);
            return false;
        }
        catch (StoreException e)
        {
            world.Story.Tell(world.Time.Now, self.Name, $"{action.GetType().Name} fails: {e.Message}");
            if (decision.Next.IsOver)
                return true;
            self.Post(new HostFailed($"{action.GetType().Name} could not be carried out: {e.Message}"));
            return false;
        }
    }

    private void Write(RunAction action)
    {
        switch (action)
        {
            case ProposeGeneration propose:
                if (world.Store.TryMakeGeneration(self.Token, propose))
                    self.Post(new GenerationGranted(propose.Number));
                else
                    lose($"generation {propose.Number} was made by another coordinator");
                break;
            case RecordFacts facts:
                world.Store.RecordFacts(self.Token, facts.Facts);
                break;
            case RecordEvaluation record:
                world.Store.RecordEvaluation(self.Token, record.Evaluation);
                break;
            case RecordCheckpoint record:
                world.Store.RecordCheckpoint(self.Token, record.Checkpoint);
                world.Watch.Recorded(record.Checkpoint);
                break;
            case RecordProgress progress:
                world.Store.RecordProgress(self.Token, progress);
                break;
            case CutHistory cut:
                world.Store.CutHistory(self.Token, cut.Step);
                metrics = null;
                world.Disk.CutMetrics(cut.Step, cut.Restored is { } line ? RunTakeUp.LineOf(line) : null, cut.Evaluated is { } evaluated ? RunTakeUp.LineOf(evaluated) : null);
                break;
            case DeleteCheckpoint delete:
                world.Store.ForgetCheckpoint(self.Token, delete.Checkpoint.File);
                world.Disk.Delete(delete.Checkpoint.File);
                break;
        }
    }

    private void Perform(RunAction action)
    {
        switch (action)
        {
            case Send send:
                world.Watch.Sent(self, send);
                if (sessionOf(send.Session) is { } session)
                {
                    var message = OrderMessages.Of(world.Scenario.Plan, send);
                    session.Send(self, () => world.Worker(send.WorkerId)?.Receive(session, message));
                }

                break;
            case WriteStepLine line:
                (metrics ??= world.Disk.Metrics).Add(RunTakeUp.LineOf(line.Line));
                break;
            case WriteEvaluationLine line:
                (metrics ??= world.Disk.Metrics).Add(RunTakeUp.LineOf(line));
                break;
            case VerifyCheckpoint verify:
                // Reading a large file takes a while; the run goes on meanwhile.
                self.In(world.Work.Milliseconds(1, 200), () =>
                {
                    var problem = world.Disk.ProblemOf(verify.File, verify.Sha256);
                    world.Watch.Looked(verify.File, problem);
                    self.Post(new CheckpointVerified(verify.Step, verify.File, problem));
                });
                break;
            case Note note:
                world.Watch.Noted(self, note);
                break;
        }
    }

    private static bool IsOfStore(RunAction action) =>
        action is ProposeGeneration or RecordFacts or RecordEvaluation or RecordCheckpoint or RecordProgress or CutHistory or DeleteCheckpoint;
}
