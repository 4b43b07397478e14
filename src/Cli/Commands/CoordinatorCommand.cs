using System.CommandLine;
using AdderNet.Cli.CommandLine;
using AdderNet.Cli.Training;
using AdderNet.Coordinator;
using AdderNet.Coordinator.Store;
using AdderNet.Protos.Rpc;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet coordinator</c>: the process that workers join and that decides what counts.</summary>
internal static class CoordinatorCommand
{
    private const string DefaultStore = "sqlite:coordinator.db";

    public static Command Create(Interruption interruption)
    {
        var listen = EnvironmentOption.Url("--listen", "Where workers and commands reach it; port 0 takes any free port", "http://0.0.0.0:7400", CoordinatorClient.DefaultAddress);
        var host = EnvironmentOption.Text("--host", "What keeps the runs: embedded, in this process; orleans, in a cluster of silos of which this is one", "embedded|orleans", CoordinatorHosts.Embedded);
        host.Validators.Add(result =>
        {
            var (value, source) = (result.GetValueOrDefault<string?>() ?? "", EnvironmentOption.Source(result));
            if (!CoordinatorHosts.Names.Contains(value))
                result.AddError(value == CoordinatorHosts.Orleans ? $"{source.TrimEnd(' ', '=')}: 'orleans' needs a build with -p:Orleans=true; valid: {source}embedded" : $"{source.TrimEnd(' ', '=')}: '{value}' is not a host; valid: {source}{string.Join($" or {source}", CoordinatorHosts.Names)}");
        });
        var store = EnvironmentOption.Text("--store", "Where runs, generations and checkpoints are kept", "sqlite:FILE|postgres:CONNECTION", DefaultStore);
        store.Validators.Add(result =>
        {
            if (StoreAddress.ProblemOf(result.GetValueOrDefault<string?>() ?? "") is { } problem)
                result.AddError($"{EnvironmentOption.Source(result).TrimEnd(' ', '=')}: {problem.Replace("valid: ", "valid: " + EnvironmentOption.Source(result), StringComparison.Ordinal)}");
        });
        var cluster = EnvironmentOption.Text("--cluster", "Whose store it must be; a new store becomes so", "NAME", CoordinatorOptions.DefaultCluster);
        var standby = EnvironmentOption.Flag("--standby", "While another coordinator holds the store, waits, and takes over when its lease ends");
        var silo = EnvironmentOption.EndPoint("--silo", "With --host orleans: where the other silos reach this one; port 0 takes any free port", "10.0.0.1:7410", "127.0.0.1:0");
        var supervised = new Option<bool>("--supervised") { Hidden = true };
        var command = new ExampleCommand(
            "coordinator",
            "Runs a coordinator: workers join it, runs are submitted to it, and it decides which steps count. Started again on its store it goes on where it was.",
            "./addernet coordinator",
            "./addernet coordinator --listen http://0.0.0.0:7400 --store sqlite:/var/lib/addernet/coordinator.db",
            "PGPASSWORD=... ./addernet coordinator --store 'postgres:Host=db.example;Database=addernet;Username=addernet' --standby",
            "PGPASSWORD=... ./addernet coordinator --host orleans --silo 10.0.0.1:7410 --store 'postgres:Host=db.example;Database=addernet;Username=addernet'")
        {
            listen, host, store, cluster, standby, silo, supervised,
        };
        command.SetAction(async parsed =>
        {
            using var loggers = LogOptions.CreateLoggers(parsed.GetValue(LogOptions.Format));
            using var parent = parsed.GetValue(supervised) ? new ParentPipe(interruption, TimeProvider.System) : null;
            var ended = parent?.Ended ?? interruption.Requested;
            try
            {
                await using var coordinator = await CoordinatorHosts.StartAsync(
                    parsed.GetValue(host)!,
                    new CoordinatorOptions
                    {
                        Listen = parsed.GetValue(listen)!,
                        Store = parsed.GetValue(store)!,
                        Cluster = parsed.GetValue(cluster)!,
                        Standby = parsed.GetValue(standby),
                        Silo = parsed.GetValue(silo),
                        Loggers = loggers,
                    },
                    ended).ConfigureAwait(false);
                parsed.InvocationConfiguration.Output.WriteLine($"coordinator listens on {coordinator.Address}");
                var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                await using var onEnd = ended.Register(() => asked.TrySetResult());
                await (await Task.WhenAny(asked.Task, coordinator.Completion).ConfigureAwait(false)).ConfigureAwait(false);
            }
            catch (Exception e) when (e is StoreException or RpcListenException)
            {
                throw new CommandFailedException(e.Message);
            }

            return ExitCode.Done;
        });
        return command;
    }
}
