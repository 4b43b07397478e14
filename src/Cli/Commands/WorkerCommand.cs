using System.CommandLine;
using AdderNet.Cli.CommandLine;
using AdderNet.Cli.Training;
using AdderNet.Worker;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet worker</c>: one worker process.</summary>
internal static class WorkerCommand
{
    public static Command Create(Interruption interruption)
    {
        var coordinator = CoordinatorClient.AddressOption();
        var run = EnvironmentOption.Text("--run", "Works on this run only and ends with it; without it, on one run after another that wants a worker", "ID");
        var listen = EnvironmentOption.Url("--listen", "Where other workers reach this one; port 0 takes any free port", "http://0.0.0.0:7500", "http://127.0.0.1:0");
        var advertise = EnvironmentOption.Url("--advertise", "The address told to other workers, where it differs from --listen", "http://10.0.0.7:7500");
        var data = EnvironmentOption.Text("--data", "Folder of the data, instead of the description's data.path", "DIR");
        var checkpoints = EnvironmentOption.Text("--checkpoints", "The run's output folder as this machine sees it", "DIR");
        var threads = EnvironmentOption.Number("--threads", "Compute threads; without it one for each core", "N", 1, 4);
        var decodeThreads = ThreadOptions.CreateDecodeThreads();
        var id = new Option<string?>("--id") { Hidden = true };
        var supervised = new Option<bool>("--supervised") { Hidden = true };
        var command = new ExampleCommand(
            "worker",
            "Runs one worker: it joins a coordinator, trains the shards that it is given, and exchanges gradients with the other workers. SIGTERM hands its work over.",
            "./addernet worker --coordinator http://127.0.0.1:7400",
            "./addernet worker --coordinator http://10.0.0.1:7400,http://10.0.0.2:7400",
            "ADDERNET_COORDINATOR=http://10.0.0.1:7400 ./addernet worker --listen http://0.0.0.0:7500 --advertise http://10.0.0.7:7500 --threads 8")
        {
            coordinator, run, listen, advertise, data, checkpoints, threads, decodeThreads, id, supervised,
        };
        command.SetAction(async parsed =>
        {
            // The line that says why it failed comes last, after everything logged.
            using var errors = new StringWriter();
            var status = await RunAsync(parsed, errors).ConfigureAwait(false);
            if (errors.ToString() is { Length: > 0 } why)
                new FailureLine(Console.Error, parsed.GetValue(LogOptions.Format), TimeProvider.System).Write(why);
            return status;
        });
        return command;

        async Task<int> RunAsync(ParseResult parsed, TextWriter errors)
        {
            using var loggers = LogOptions.CreateLoggers(parsed.GetValue(LogOptions.Format));
            using var parent = parsed.GetValue(supervised) ? new ParentPipe(interruption, TimeProvider.System) : null;
            var compute = parsed.GetValue(threads) ?? Environment.ProcessorCount;
            return await WorkerHost.RunAsync(
                new WorkerOptions
                {
                    Coordinator = parsed.GetValue(coordinator)![0],
                    OtherCoordinators = [.. parsed.GetValue(coordinator)!.Skip(1)],
                    Run = parsed.GetValue(run) ?? "",
                    // A worker of `train` belongs to its one run, as does one that was given a run.
                    Stays = string.IsNullOrEmpty(parsed.GetValue(run)) && !parsed.GetValue(supervised),
                    Listen = parsed.GetValue(listen)!,
                    Advertise = parsed.GetValue(advertise),
                    Data = parsed.GetValue(data) is { } folder ? Path.GetFullPath(folder) : null,
                    Checkpoints = parsed.GetValue(checkpoints) is { } output ? Path.GetFullPath(output) : null,
                    Threads = compute,
                    DecodeThreads = parsed.GetValue(decodeThreads) ?? ThreadOptions.DecodeThreads(compute),
                    WorkerId = parsed.GetValue(id),
                    Loggers = loggers,
                    Errors = errors,
                },
                parent?.Ended ?? interruption.Requested).ConfigureAwait(false);
        }
    }
}
