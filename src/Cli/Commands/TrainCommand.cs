using System.CommandLine;
using AdderNet.Cli.CommandLine;
using AdderNet.Cli.Training;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet train CONFIG</c>: coordinator and workers on this machine, from the data to the finished weights.</summary>
internal static class TrainCommand
{
    public static Command Create(Interruption interruption)
    {
        var description = new DescriptionOptions();
        var workers = new Option<int>("--workers")
        {
            Description = "Worker processes; the resulting weights do not depend on it",
            HelpName = "N",
            CustomParser = result => Count(result, "--workers 2"),
            DefaultValueFactory = _ => 1,
        };
        var threads = EnvironmentOption.Number("--threads", "Compute threads of each worker; without it the cores shared out", "N", 1, 2);
        var decodeThreads = ThreadOptions.CreateDecodeThreads();
        var data = EnvironmentOption.Text("--data", "Folder of the data, instead of the description's data.path", "DIR");
        var output = new Option<string?>("--output") { Description = "Folder that receives everything (default: runs/<name of CONFIG>)", HelpName = "DIR" };
        var init = new Option<string?>("--init") { Description = "Initial weights (.safetensors)", HelpName = "FILE" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only shows the resolved description, the parameters and the memory needed; status 1 when it cannot fit" };
        var noReplace = new Option<bool>("--no-replace") { Description = "Does not replace dead workers" };
        var command = new ExampleCommand(
            "train",
            "Trains on this machine: gets the data where it can, starts a coordinator and its workers, shows progress, and ends with accuracy, weights hash and where everything is. "
            + "On an existing output folder the same command goes on. Ctrl-C leaves a checkpoint.",
            "./addernet train configs/mnist-lenet5.yaml --workers 2",
            "./addernet train configs/mnist-lenet5.yaml --workers 2 --set schedule.epochs=1 --output runs/short",
            "./addernet train configs/mnist-lenet5.yaml --set model.method=conv --output runs/conv",
            "./addernet train configs/mnist-lenet5.yaml --dry-run")
        {
            workers, threads, decodeThreads, data, output, init, dryRun, noReplace,
        };
        description.AddTo(command);
        command.SetAction(async parsed =>
        {
            var request = new TrainRequest
            {
                Config = parsed.GetRequiredValue(description.Config),
                Overrides = parsed.GetValue(description.Set) ?? [],
                Workers = parsed.GetValue(workers),
                Threads = parsed.GetValue(threads),
                DecodeThreads = parsed.GetValue(decodeThreads),
                Data = parsed.GetValue(data),
                Output = parsed.GetValue(output),
                Init = parsed.GetValue(init),
                Replace = !parsed.GetValue(noReplace),
                LogFormat = parsed.GetValue(LogOptions.Format) ?? LogOptions.Text,
            };
            var writer = parsed.InvocationConfiguration.Output;
            return parsed.GetValue(dryRun)
                ? DryRun.Run(request, writer)
                : await new TrainSession(request, interruption, writer, TimeProvider.System).RunAsync().ConfigureAwait(false);
        });
        return command;
    }

    private static int Count(System.CommandLine.Parsing.ArgumentResult result, string example)
    {
        var text = result.Tokens[0].Value;
        if (int.TryParse(text, out var count) && count >= 1)
            return count;
        result.AddError($"--workers: '{text}' is not a whole number of at least 1; valid: {example}");
        return 1;
    }
}
