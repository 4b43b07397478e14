using AdderNet.Cli.CommandLine;
using AdderNet.Cli.DataSets;
using AdderNet.Core.Checkpoints;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Core.Models;
using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;
using Spectre.Console;

namespace AdderNet.Cli.Training;

/// <summary>One <c>train</c> command from its first check to its summary.</summary>
internal sealed class TrainSession(TrainRequest request, Interruption interruption, TextWriter output, TimeProvider clock)
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(60);

    /// <returns>The exit status.</returns>
    public async Task<int> RunAsync()
    {
        var plan = TrainPlan.Resolve(request);
        OutputFolder.RequireSameRun(plan.Output, plan.Description);
        if (plan.Fetch is not null)
            await DataSetFetch.RunAsync(plan.Fetch, plan.Description.Data.Path!, output.WriteLine, interruption.Requested).ConfigureAwait(false);
        RequireUsable(plan);
        using var folder = OutputFolder.Enter(plan.Output);
        await using var view = CreateView();
        await using var fleet = new Fleet(
            new FleetPlan(plan.Output, plan.Workers, plan.Threads, plan.DecodeThreads, null, request.LogFormat, request.Replace), clock, view.Note);
        using var kill = interruption.Forced.Register(fleet.Kill);
        RunStatus last;
        try
        {
            last = await TrainAsync(plan, fleet, view).ConfigureAwait(false);
        }
        finally
        {
            if (interruption.Forced.IsCancellationRequested)
                fleet.Kill();
            // Only a coordinator that has ended has surely written everything.
            await fleet.StopAsync().ConfigureAwait(false);
            await view.DisposeAsync().ConfigureAwait(false);
        }

        return Conclude(last, plan);
    }

    // Faults of data and weights are met here, in one line, before any process is started.
    private static void RequireUsable(TrainPlan plan)
    {
        using var data = DataSource.Open(plan.Description.Data, null);
        data.RequireClasses(plan.Description.Model.Classes);
        var model = ModelCatalog.Describe(plan.Description.Model, data.Input);
        if (plan.Init is not null)
            WeightsFile.Load(plan.Init, model.Layout);
        DryRun.RequireMemory(
            MemoryEstimate.Of(model, plan.Description.Batch, plan.Workers), plan.Workers, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
    }

    private async Task<RunStatus> TrainAsync(TrainPlan plan, Fleet fleet, IProgressView view)
    {
        var url = await fleet.StartCoordinatorAsync(interruption.Requested).ConfigureAwait(false);
        await using var client = new CoordinatorClient([url]);
        var run = await client.CallAsync(
            CoordinationMethods.SubmitRun,
            new SubmitRunRequest
            {
                Description = RunDescriptionFile.Write(plan.Description),
                InitialWeights = plan.Init ?? "",
                ExpectedWorkers = (uint)plan.Workers,
            },
            interruption.Requested).ConfigureAwait(false);
        var status = await client.CallAsync(CoordinationMethods.GetRun, new GetRunRequest { RunId = run.RunId }, interruption.Requested).ConfigureAwait(false);
        if (status.State == "completed")
        {
            view.Note($"this run is finished already, at step {status.Step}");
            return status;
        }

        view.Note(run.Resumed ? $"going on with the run in {plan.Output} from step {status.Step}" : $"training {request.Config} into {plan.Output}");
        view.Note($"coordinator {url}, {plan.Workers} worker(s) with {plan.Threads} thread(s) each");
        fleet.StartWorkers();
        return await FollowAsync(new RunWatch(client, run.RunId, clock), fleet, view).ConfigureAwait(false);
    }

    private async Task<RunStatus> FollowAsync(RunWatch watch, Fleet fleet, IProgressView view)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(interruption.Forced);
        var watching = watch.UntilOverAsync(view.Show, over.Token);
        var supervising = fleet.SuperviseAsync(() => watch.Step, over.Token);
        var stopping = StopWhenAskedAsync(watch, view, over);
        try
        {
            var first = await Task.WhenAny(watching, supervising, stopping).ConfigureAwait(false);
            if (first == supervising && await supervising.ConfigureAwait(false) is { } reason)
                throw new CommandFailedException($"training ended at step {watch.Step}: {reason}; the same command goes on from the newest checkpoint");
            if (first == stopping)
                await stopping.ConfigureAwait(false);
            return await watching.ConfigureAwait(false);
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(watching, supervising, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Ends only when a stop was asked for and did not come about in time, or when the run is over.
    private async Task StopWhenAskedAsync(RunWatch watch, IProgressView view, CancellationTokenSource over)
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var onRequest = interruption.Requested.Register(() => asked.TrySetResult());
        await asked.Task.WaitAsync(over.Token).ConfigureAwait(false);
        view.Note("stopping: the next step boundary writes a checkpoint (Ctrl-C again ends everything now)");
        using var limit = new CancellationTokenSource(StopPatience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, over.Token);
        try
        {
            await watch.RequestStopAsync(either.Token).ConfigureAwait(false);
            await Task.Delay(Timeout.InfiniteTimeSpan, clock, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            throw new CommandFailedException($"the run did not stop within {StopPatience.TotalSeconds:0} s; the newest checkpoint is what remains");
        }
    }

    private int Conclude(RunStatus status, TrainPlan plan)
    {
        switch (status.State)
        {
            case "completed":
                foreach (var line in RunSummary.Read(plan.Output, status).Lines(plan.Output))
                    output.WriteLine(line);
                return ExitCode.Done;
            case "stopped":
                output.WriteLine(status.TotalSteps == 0 ? "stopped before the first step; the same command starts it again" : $"stopped at step {status.Step} of {status.TotalSteps}; the same command goes on from there");
                return ExitCode.NotDone;
            default:
                throw new CommandFailedException($"the run {(status.State == "failed" ? "failed" : "was " + status.State)} at step {status.Step}: {status.Reason}");
        }
    }

    private IProgressView CreateView() =>
        Console.IsOutputRedirected ? new PlainProgress(output, clock) : new LiveProgress(AnsiConsole.Console);
}
