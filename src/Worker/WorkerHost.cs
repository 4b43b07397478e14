using System.Net;
using System.Reflection;
using System.Security.Cryptography;
using AdderNet.Core.Checkpoints;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Core.Numerics;
using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;
using AdderNet.Worker.Membership;
using AdderNet.Worker.Session;
using AdderNet.Worker.Telemetry;
using AdderNet.Worker.Training;
using Microsoft.Extensions.Logging;

namespace AdderNet.Worker;

/// <summary>A worker: joins a coordinator's run and trains until the run ends.</summary>
public static class WorkerHost
{
    private static readonly TimeSpan Goodbye = TimeSpan.FromSeconds(2);

    /// <summary>Runs a worker to its end.</summary>
    /// <param name="options">What it is started with.</param>
    /// <param name="cancellation">Asks it to hand over and go (SIGTERM, Ctrl-C).</param>
    /// <returns>The process's exit status: 0 after the run has ended or the worker has handed over; else 1, after one line on <see cref="WorkerOptions.Errors"/>.</returns>
    public static async Task<int> RunAsync(WorkerOptions options, CancellationToken cancellation)
    {
        var logger = options.Loggers.CreateLogger(WorkerTelemetry.Name);
        try
        {
            var finish = await ServeAsync(options, logger, cancellation);
            for (; options.Stays && finish.RunEnded; finish = await ServeAsync(options, logger, cancellation))
                cancellation.ThrowIfCancellationRequested();
            if (!finish.Failed)
                return 0;
            await options.Errors.WriteLineAsync($"addernet worker: {finish.Reason}");
            return 1;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception e)
        {
            var reason = IsPlain(e) ? e.Message : $"{e.GetType().Name}: {e.Message}";
            logger.Failed(reason, IsPlain(e) ? null : e);
            await options.Errors.WriteLineAsync($"addernet worker: {reason.ReplaceLineEndings(" ")}");
            return 1;
        }
    }

    private static bool IsPlain(Exception e) =>
        e is WorkerFailureException or InvalidDescriptionException or DataException or TensorFileException or IOException or RpcException;

    private static async Task<Finish> ServeAsync(WorkerOptions options, ILogger logger, CancellationToken cancellation)
    {
        await using var neighbours = new Neighbours(options.Channel, options.Time);
        await using var server = await RpcServer.StartAsync(
            new RpcServerOptions
            {
                Listen = options.Listen,
                Services = neighbours.Services,
                MaxReceiveMessageBytes = Neighbours.LargestRequest,
                MaxCallsPerConnection = Neighbours.MostCalls,
                StreamWindowBytes = Neighbours.LargestRequest,
                ConnectionWindowBytes = Neighbours.MostCalls * Neighbours.LargestRequest,
                LoggerFactory = options.Loggers,
                TimeProvider = options.Time,
            },
            cancellation);
        var hello = Hello(options, server.Address);
        logger.Started(hello.WorkerId, server.Address, options.Coordinator);

        var inbox = new MemberInbox(options.Time);
        using var sessionLife = new CancellationTokenSource();
        await using var session = new CoordinatorSession([options.Coordinator, .. options.OtherCoordinators], options.Channel, hello, inbox, options.Time, logger);
        var sessionTask = session.RunAsync(sessionLife.Token);
        var farewell = "the worker ends";
        try
        {
            var finish = await JoinAsync(options, hello.WorkerId, session, inbox, neighbours, logger, cancellation);
            farewell = finish.Reason;
            logger.RunEnded(finish.Reason);
            return finish;
        }
        catch (Exception e)
        {
            farewell = cancellation.IsCancellationRequested ? "asked to leave" : e.Message;
            throw;
        }
        finally
        {
            await LeaveAsync(session, sessionTask, farewell, options.Time, logger);
            await sessionLife.CancelAsync();
            await sessionTask;
        }
    }

    private static async Task<Finish> JoinAsync(
        WorkerOptions options, string workerId, CoordinatorSession session, MemberInbox inbox, Neighbours neighbours, ILogger logger, CancellationToken cancellation)
    {
        var first = await FirstAsync(inbox, cancellation);
        if (first is not WelcomeOrder welcome)
        {
            return first switch
            {
                RefusedOrder refused => new Finish(true, refused.Reason),
                EndOrder end => new Finish(end.Failed, end.Reason, RunEnded: true),
                _ => throw new WorkerFailureException($"the coordinator answered Hello with {first.GetType().Name} instead of a welcome"),
            };
        }

        neighbours.Join(welcome.Lease);
        var progress = new Progress();
        var paths = new OutputPaths(options.Checkpoints);
        using var heartbeat = new HeartbeatThread(session, progress, neighbours.Watch, welcome.Heartbeat);
        await using var member = await Task.Run(
            () => PreparedMember.Create(welcome, options.Data, options.Threads, options.DecodeThreads, paths, options.Time), cancellation);
        if (member.ResumeProblem is { } problem)
            logger.Noted(new Note(NoteKind.Warning, $"begins at the initial weights: {problem}"));
        logger.Prepared(welcome.RunId, member.Replica.Layout.ParameterLength, member.Data.Train.Count, member.Data.Test.Count, member.Replica.AppliedStep);
        var state = new MemberState
        {
            WorkerId = workerId,
            RunId = welcome.RunId,
            AppliedStep = member.Replica.AppliedStep,
            ReachToken = paths.ReadToken(welcome),
            SkipsNonFinite = member.Description.Gradient.OnNonfinite == OnTrouble.Skip,
        };
        await using var loop = new TrainingLoop(member, state, session, inbox, neighbours, paths, progress, options.Time, logger);
        return await loop.RunAsync(cancellation);
    }

    /// <summary>The answer to Hello, however often the session must be opened for it.</summary>
    private static async Task<Order> FirstAsync(MemberInbox inbox, CancellationToken cancellation)
    {
        while (true)
        {
            switch (await inbox.NextAsync(Timeout.InfiniteTimeSpan, cancellation))
            {
                case OrderArrived arrived:
                    return arrived.Order;
                case SessionGivenUp given:
                    throw new WorkerFailureException(given.Why);
            }
        }
    }

    private static async Task LeaveAsync(CoordinatorSession session, Task sessionTask, string reason, TimeProvider time, ILogger logger)
    {
        logger.Leaving(reason);
        using var patience = new CancellationTokenSource(Goodbye, time);
        try
        {
            await session.CloseAsync(Reports.Leave(session.RunId, reason), patience.Token);
            await sessionTask.WaitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            // A coordinator that does not hear the farewell finds out by the lease.
        }
    }

    private static Hello Hello(WorkerOptions options, Uri listening) => new()
    {
        Build = typeof(WorkerHost).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown",
        NumericsVersion = NumericsVersion.Current,
        Engine = ManagedReplica.EngineName,
        ProbeHash = TrainingProbe.Hash(options.Threads),
        Address = Advertised(options, listening).GetLeftPart(UriPartial.Authority),
        Threads = (uint)options.Threads,
        Host = Dns.GetHostName(),
        ProcessId = (uint)Environment.ProcessId,
        WorkerId = options.WorkerId ?? $"{Dns.GetHostName()}-{Environment.ProcessId}-{RandomNumberGenerator.GetHexString(6, lowercase: true)}",
        WantedRun = options.Run,
    };

    private static Uri Advertised(WorkerOptions options, Uri listening)
    {
        if (options.Advertise is { } advertise)
            return advertise.Port > 0 ? advertise : new UriBuilder(advertise) { Port = listening.Port }.Uri;
        return IPAddress.TryParse(listening.Host.Trim('[', ']'), out var address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
            ? new UriBuilder(listening) { Host = Dns.GetHostName() }.Uri
            : listening;
    }
}
