using AdderNet.Cli.CommandLine;
using AdderNet.Cli.DataSets;
using AdderNet.Core.Configuration;

namespace AdderNet.Cli.Training;

/// <summary>A request with every default filled in: absolute folders, threads, the resolved description.</summary>
/// <param name="Description">With <c>data.path</c> and <c>checkpoint.path</c> absolute.</param>
/// <param name="Output">The run's output directory.</param>
/// <param name="Workers">Worker processes.</param>
/// <param name="Threads">Compute threads of each.</param>
/// <param name="DecodeThreads">Threads of each that decode samples.</param>
/// <param name="Init">File of initial weights, or null.</param>
/// <param name="Fetch">The data set to fetch first; null when the data is a folder.</param>
internal sealed record TrainPlan(RunDescription Description, string Output, int Workers, int Threads, int DecodeThreads, string? Init, IdxDataSet? Fetch)
{
    /// <summary>Resolves a request without touching anything.</summary>
    /// <param name="request">What was asked for.</param>
    /// <param name="requireData">Whether the data must have a place.</param>
    /// <exception cref="InvalidDescriptionException">The description is wrong.</exception>
    public static TrainPlan Resolve(TrainRequest request, bool requireData = true)
    {
        var description = RunDescriptionFile.Load(request.Config, request.Overrides);
        if (requireData)
            RunDescriptionFile.RequireDataPath(description, request.Data, request.Config);
        var output = Path.GetFullPath(request.Output ?? description.Checkpoint.Path ?? Path.Combine("runs", Path.GetFileNameWithoutExtension(request.Config)));
        var (data, fetch) = DataLocation.Resolve(request.Data ?? description.Data.Path);
        description = description with
        {
            Data = description.Data with { Path = data },
            Checkpoint = description.Checkpoint with { Path = output },
        };
        if (request.Workers > description.Elastic.MaxWorkers)
            throw new CommandFailedException($"--workers: {request.Workers} is more than elastic.max_workers: {description.Elastic.MaxWorkers}; valid: --workers {description.Elastic.MaxWorkers}", ExitCode.WrongInput);
        var init = request.Init is null ? null : Path.GetFullPath(request.Init);
        if (init is not null && !File.Exists(init))
            throw new CommandFailedException($"--init: there is no file {init}");
        var threads = request.Threads ?? Math.Max(1, Environment.ProcessorCount / request.Workers);
        return new TrainPlan(description, output, request.Workers, threads, request.DecodeThreads ?? ThreadOptions.DecodeThreads(threads), init, fetch);
    }
}
