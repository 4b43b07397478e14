using AdderNet.Coordinator.RunLogic;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Simulation.Model;
using AdderNet.Simulation.Network;

namespace AdderNet.Simulation;

/// <summary>One seed's run before anything happens to it: description, machines, weather.</summary>
internal sealed record Scenario
{
    /// <summary>Test samples are evaluated in blocks of so many.</summary>
    public const int BlockSize = 10;

    public const int TestSamples = 30;

    /// <summary>What every worker reads in the output directory.</summary>
    public const string ReachToken = "reached";

    public required long Seed { get; init; }

    public required RunPlan Plan { get; init; }

    public required int TrainSamples { get; init; }

    /// <summary>Workers started at the beginning.</summary>
    public required int Workers { get; init; }

    /// <summary>Dead workers are started again, as <c>train</c> does without <c>--no-replace</c>.</summary>
    public required bool Replaces { get; init; }

    /// <summary>The step that gives a value that is not finite; 0: none.</summary>
    public required long NonFiniteStep { get; init; }

    public required NetworkWeather Weather { get; init; }

    /// <summary>Time of one shard on the fastest machine.</summary>
    public required TimeSpan Shard { get; init; }

    public RunDescription Description => Plan.Description;

    /// <summary>The run is meant to fail at <see cref="NonFiniteStep"/>.</summary>
    public bool EndsNonFinite => NonFiniteStep > 0 && Description.Gradient.OnNonfinite == OnTrouble.Stop;

    /// <summary>A step with a value that is not finite leaves the weights as they are.</summary>
    public bool SkipsNonFinite => Description.Gradient.OnNonfinite == OnTrouble.Skip;

    public long Steps => RunPlan.TotalSteps(Description, TrainSamples);

    /// <summary>The arithmetic of this run.</summary>
    public GradientModel Model() => new(
        new SampleOrder(Description.Seed, TrainSamples, Description.Batch.Global),
        Description.Batch.Shards, Description.Batch.Global, NonFiniteStep);

    /// <summary>Draws a seed's scenario.</summary>
    public static Scenario Draw(long seed)
    {
        var draws = new Draws(seed, DrawStream.Scenario);
        var shards = draws.Of([2, 4, 4, 8]);
        var batch = shards * draws.Between(1, 3);
        var stepsPerEpoch = draws.Between(2, 7);
        var samples = (stepsPerEpoch * batch) + draws.Below(batch); // the tail is dropped
        var epochs = draws.Between(2, 4);
        var workers = draws.Of([1, 2, 3, 3, 3, 4, 5]);
        var nonFinite = draws.OneIn(12) ? draws.Between(2, stepsPerEpoch * epochs) : 0;
        var description = new RunDescription
        {
            Model = new ModelOptions { Name = ModelName.LeNet5 },
            Data = new DataOptions { Format = DataFormat.Synthetic },
            Batch = new BatchOptions { Global = batch, Shards = shards },
            Gradient = new GradientOptions { OnNonfinite = draws.OneIn(3) ? OnTrouble.Stop : OnTrouble.Skip },
            Schedule = new ScheduleOptions { Epochs = epochs },
            Evaluation = new EvaluationOptions { EveryEpochs = draws.Below(3), KeepBest = draws.OneIn(2) },
            Checkpoint = new CheckpointOptions { EverySteps = draws.Of([0, 1, 2, 3, 5]), Keep = draws.Between(1, 3), Path = "/run" },
            Elastic = new ElasticOptions
            {
                MinWorkers = draws.OneIn(3) ? Math.Min(2, workers) : 1,
                MaxWorkers = 8,
                Rebalance = draws.OneIn(2),
            },
            Exchange = new ExchangeOptions { GroupSize = new Draws(seed, DrawStream.Exchange).Of([0, 0, 2, 3]) },
            Seed = seed,
        };
        return new Scenario
        {
            Seed = seed,
            Plan = new RunPlan
            {
                RunId = $"seed-{seed}",
                Description = description,
                DescriptionText = "",
                Output = "/run",
                ExpectedWorkers = draws.OneIn(4) ? workers + 1 : workers,
                EvaluationBlockSize = BlockSize,
                ReachToken = ReachToken,
            },
            TrainSamples = samples,
            Workers = workers,
            Replaces = !draws.OneIn(5),
            NonFiniteStep = nonFinite,
            Shard = draws.Milliseconds(5, 40),
            Weather = draws.Below(3) switch
            {
                0 => new NetworkWeather(TimeSpan.FromMilliseconds(0.1), TimeSpan.FromMilliseconds(1), 0, 0, 0, 0),
                1 => new NetworkWeather(TimeSpan.FromMilliseconds(0.2), TimeSpan.FromMilliseconds(20), 100, 0, 40, 0),
                _ => new NetworkWeather(TimeSpan.FromMilliseconds(0.2), TimeSpan.FromMilliseconds(30), 60, 300, 25, 25),
            },
        };
    }
}
