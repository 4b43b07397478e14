using System.CommandLine;
using System.Globalization;
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
        var events = new Option<bool>("--events") { Description = "Shows what has happened to it: generations with their reasons, commits, evaluations, checkpoints with hashes, who came and went" };
        var coordinator = CoordinatorClient.AddressOption();
        var command = new ExampleCommand(
            "status", "Shows where a run is: state and its reason, step, loss, accuracy, speed, and what each worker does.",
            "./addernet status",
            "./addernet status --coordinator http://127.0.0.1:7400",
            "./addernet status lenet5-mnist-1 --events")
        {
            run, events, coordinator,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = new CoordinatorClient(parsed.GetValue(coordinator)!);
            var status = await client.CallAsync(
                CoordinationMethods.GetRun, new GetRunRequest { RunId = parsed.GetValue(run) ?? "" }, cancellation).ConfigureAwait(false);
            Print(status, parsed.InvocationConfiguration.Output);
            if (parsed.GetValue(events))
                await PrintEventsAsync(client, status.RunId, parsed.InvocationConfiguration.Output, cancellation).ConfigureAwait(false);
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

    private static async Task PrintEventsAsync(CoordinatorClient client, string run, TextWriter output, CancellationToken cancellation)
    {
        try
        {
            await foreach (var happened in client.Channel.ServerStreamAsync(
                CoordinationMethods.ReadHistory, new GetRunRequest { RunId = run }, null, cancellation).ConfigureAwait(false))
            {
                // Commits have no time of their own: they lie between the events around them.
                var at = happened.AtMs == 0 ? "" : DateTimeOffset.FromUnixTimeMilliseconds(happened.AtMs).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
                output.WriteLine($"{at,-20}  step {happened.Step,-8} {happened.Kind,-11} {happened.Text}");
            }
        }
        catch (RpcException e)
        {
            throw client.Explain(e);
        }
    }
}
