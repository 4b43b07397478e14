using System.CommandLine;
using AdderNet.Cli.CommandLine;
using AdderNet.Cli.Training;
using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet status [RUN]</c>: where one run is and who works on it.</summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        var run = RunArgument.Create();
        var coordinator = CoordinatorClient.AddressOption();
        var command = new ExampleCommand(
            "status", "Shows where a run is: state and its reason, step, loss, accuracy, speed, and what each worker does.",
            "./addernet status",
            "./addernet status --coordinator http://127.0.0.1:7400")
        {
            run, coordinator,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = new CoordinatorClient(parsed.GetValue(coordinator)!);
            var status = await client.CallAsync(
                CoordinationMethods.GetRun, new GetRunRequest { RunId = parsed.GetValue(run) ?? "" }, cancellation).ConfigureAwait(false);
            Print(status, parsed.InvocationConfiguration.Output);
            return ExitCode.Done;
        });
        return command;
    }

    /// <summary>The lines of <c>status</c>.</summary>
    public static void Print(RunStatus status, TextWriter output)
    {
        output.WriteLine($"run {status.RunId} {status.Name}".TrimEnd());
        output.WriteLine(ProgressText.State(status));
        output.WriteLine(ProgressText.Line(status));
        if (status.LastEvaluatedStep > 0)
            output.WriteLine($"{ProgressText.EvaluationLine(status)} (best top-1 {ProgressText.Percent(status.BestTop1)})");
        foreach (var worker in status.Workers)
            output.WriteLine($"worker {worker.WorkerId} on {worker.Host} (process {worker.ProcessId}): {worker.State}, shards {worker.FirstShard}-{worker.EndShard} (exclusive), {worker.ShardsComputed} computed");
        output.WriteLine($"output {status.Output}");
        if (status.WeightsHash.Length > 0)
            output.WriteLine($"weights hash {status.WeightsHash}");
    }
}
