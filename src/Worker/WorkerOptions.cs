using AdderNet.Protos.Rpc;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace AdderNet.Worker;

/// <summary>What a worker process is started with.</summary>
public sealed record WorkerOptions
{
    /// <summary>URL of the coordinator, such as <c>http://127.0.0.1:5000</c>.</summary>
    public required Uri Coordinator { get; init; }

    /// <summary>Others that answer for the same runs, such as the silos of a cluster: tried in turn when one fails.</summary>
    public IReadOnlyList<Uri> OtherCoordinators { get; init; } = [];

    /// <summary>Takes part in this run only; empty: in whichever wants a worker.</summary>
    public string Run { get; init; } = string.Empty;

    /// <summary>After a run has ended, returns to the pool and waits for the next one, until asked to go.</summary>
    public bool Stays { get; init; }

    /// <summary>Where the worker's own services listen; port 0 takes any free one.</summary>
    public Uri Listen { get; init; } = new("http://127.0.0.1:0");

    /// <summary>URL at which other workers reach <see cref="Listen"/>; null: the address that is listened on.</summary>
    public Uri? Advertise { get; init; }

    /// <summary>Directory of the data; null: the run description's <c>data.path</c>.</summary>
    public string? Data { get; init; }

    /// <summary>The run's output directory as this machine sees it; null: as the coordinator names it.</summary>
    public string? Checkpoints { get; init; }

    /// <summary>Compute threads, at least 1. Their number changes no bit of the result.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Threads that decode samples beside the compute threads, at least 1. Their number changes no bit either.</summary>
    public int DecodeThreads { get; init; } = 1;

    /// <summary>Unique name of this process; null: host, process id and a random suffix.</summary>
    public string? WorkerId { get; init; }

    /// <summary>Certificates and limits of connections to the coordinator and to other workers.</summary>
    public RpcChannelOptions? Channel { get; init; }

    /// <summary>Where logs go.</summary>
    public ILoggerFactory Loggers { get; init; } = NullLoggerFactory.Instance;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Receives the one line that says why a worker ends with status 1.</summary>
    public TextWriter Errors { get; init; } = Console.Error;
}
