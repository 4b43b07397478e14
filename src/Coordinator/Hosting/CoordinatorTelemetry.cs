using System.Diagnostics;
using System.Diagnostics.Metrics;
using AdderNet.Coordinator.RunLogic;

namespace AdderNet.Coordinator.Hosting;

/// <summary>Traces and counters of the coordinator, named <c>AdderNet.Coordinator</c>.</summary>
internal static class CoordinatorTelemetry
{
    public const string Name = "AdderNet.Coordinator";

    private static readonly ActivitySource Source = new(Name);
    private static readonly Meter Meter = new(Name);
    private static readonly Counter<long> StepsCommitted = Meter.CreateCounter<long>("addernet.coordinator.steps_committed", "{step}", "Steps committed");
    private static readonly Histogram<double> StepSeconds = Meter.CreateHistogram<double>("addernet.coordinator.step_duration", "s", "From a step's start to its commit");
    private static readonly Counter<long> Generations = Meter.CreateCounter<long>("addernet.coordinator.generations", "{generation}", "Generations started");
    private static readonly Counter<long> Evictions = Meter.CreateCounter<long>("addernet.coordinator.evictions", "{worker}", "Members given up or gone");
    private static readonly Counter<long> RefusedMessages = Meter.CreateCounter<long>("addernet.coordinator.refused_messages", "{message}", "Messages of older generations or replaced sessions");

    public static void Committed(string runId, TimeSpan took)
    {
        var run = new KeyValuePair<string, object?>("run", runId);
        StepsCommitted.Add(1, run);
        StepSeconds.Record(took.TotalSeconds, run);
    }

    public static void Count(string runId, NoteKind kind)
    {
        var counter = kind switch
        {
            NoteKind.Generation => Generations,
            NoteKind.Evicted => Evictions,
            NoteKind.StaleMessage => RefusedMessages,
            _ => null,
        };
        counter?.Add(1, new KeyValuePair<string, object?>("run", runId));
    }

    /// <summary>One span for each phase of a run: a step, an evaluation, a checkpoint, a change of generation.</summary>
    public static Activity? StartPhase(RunState state)
    {
        var name = state.Phase switch
        {
            Stepping => "step",
            Evaluating => "evaluation",
            Checkpointing => "checkpoint",
            Positioning => "positioning",
            _ => null,
        };
        var activity = name is null ? null : Source.StartActivity(name, ActivityKind.Internal, parentId: null);
        activity?.SetTag("run", state.Plan.RunId);
        activity?.SetTag("generation", state.Generation?.Number);
        activity?.SetTag("step", state.Phase is Stepping s ? s.Step : state.Committed.Step);
        return activity;
    }
}
