using System.Collections.Immutable;
using AdderNet.Core.Configuration;

namespace AdderNet.Coordinator.RunLogic;

/// <summary>What is known about a run from its submission alone. Nothing here changes while a coordinator drives it.</summary>
internal sealed record RunPlan
{
    public required string RunId { get; init; }

    public required RunDescription Description { get; init; }

    /// <summary>The resolved description as YAML, sent to workers as it stands.</summary>
    public required string DescriptionText { get; init; }

    /// <summary>The run's output directory, absolute.</summary>
    public required string Output { get; init; }

    /// <summary>Content of a file in <see cref="Output"/>: a worker that cannot read it there does not reach the directory; empty: no proof is wanted.</summary>
    public string ReachToken { get; init; } = "";

    /// <summary><c>--init FILE</c>, or empty.</summary>
    public string InitialWeights { get; init; } = "";

    /// <summary>The first generation waits (bounded) for as many members; 0: for elastic.min_workers.</summary>
    public int ExpectedWorkers { get; init; }

    /// <summary>Samples of one evaluation block; fixed by the numerics version.</summary>
    public required int EvaluationBlockSize { get; init; }

    public TimeSpan Lease => TimeSpan.FromMilliseconds(Description.Elastic.LeaseMs);

    /// <summary>Floor(N/B): the tail of an epoch is dropped.</summary>
    public long StepsPerEpoch(RunFacts facts) => StepsPerEpoch(Description, facts.TrainSamples);

    /// <summary>The step after which the run is finished.</summary>
    public long TotalSteps(RunFacts facts) => TotalSteps(Description, facts.TrainSamples);

    /// <summary>The step after which a run of this description over so many training samples is finished.</summary>
    public static long TotalSteps(RunDescription description, long trainSamples)
    {
        var planned = description.Schedule.Epochs * StepsPerEpoch(description, trainSamples);
        return description.Schedule.MaxSteps is { } limit ? Math.Min(limit, planned) : planned;
    }

    /// <summary>The epoch, counted from 1, to which a step belongs; 0 before the first step.</summary>
    public long EpochOf(long step, RunFacts facts) => step == 0 ? 0 : (step - 1) / StepsPerEpoch(facts) + 1;

    /// <summary>Evaluation blocks that cover the test set.</summary>
    public int EvaluationBlocks(RunFacts facts) =>
        (int)((facts.TestSamples + EvaluationBlockSize - 1) / EvaluationBlockSize);

    private static long StepsPerEpoch(RunDescription description, long trainSamples) =>
        Math.Max(1, trainSamples / description.Batch.Global);
}

/// <summary>What the first prepared worker fixed for the run; every later worker must match it.</summary>
/// <param name="Build">Informational version of the workers; forgotten when a stopped run is resumed, since identity and numerics still bind.</param>
/// <param name="NumericsVersion">Order-of-summation version.</param>
/// <param name="Engine">"managed" or "cuda".</param>
/// <param name="ProbeHash">Hash of the built-in probe.</param>
/// <param name="Identity">Run identity, hex.</param>
/// <param name="ManifestHash">Data manifest hash, hex.</param>
/// <param name="TrainSamples">N.</param>
/// <param name="TestSamples">Samples of the test set.</param>
/// <param name="LayerNames">Names the layer in which a non-finite value was found.</param>
internal sealed record RunFacts(
    string Build,
    long NumericsVersion,
    string Engine,
    string ProbeHash,
    string Identity,
    string ManifestHash,
    long TrainSamples,
    long TestSamples,
    ImmutableArray<string> LayerNames)
{
    /// <summary>Hash of built-in pictures as the workers decode them; empty where the data are no pictures.</summary>
    public string PictureProbeHash { get; init; } = "";
}
