using AdderNet.Core.Sharding;
using AdderNet.Protos.V1;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace AdderNet.Worker.Tests.Training;

/// <summary>Real workers in this process, driven step by step as a coordinator would.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    public const int Shards = 8;

    private readonly CancellationTokenSource limit = new(TimeSpan.FromMinutes(3));
    private readonly CancellationTokenSource stop = new();
    private readonly StringWriter errors = new();
    private readonly string output = Directory.CreateTempSubdirectory("addernet-worker-test").FullName;
    private CoordinatorScript script = null!;

    public List<ScriptedSession> Members { get; } = [];

    public List<Task<int>> Exits { get; } = [];

    public long Generation { get; private set; }

    public long Step { get; private set; }

    public ulong Hash { get; private set; }

    public List<Vote> Votes { get; } = [];

    public CancellationToken Limit => limit.Token;

    public string Errors => errors.ToString();

    public string Output => output;

    public CoordinatorScript Script => script;

    public static string Description(string extra = "") =>
        $"model: {{name: lenet5}}\ndata: {{format: synthetic, image_size: 28}}\nbatch: {{global: 32, shards: {Shards}}}\nseed: 3\n" + extra;

    public static async Task<Cluster> StartAsync(int workers, string? description = null)
    {
        var cluster = new Cluster { script = await CoordinatorScript.StartAsync(description ?? Description()) };
        for (var i = 0; i < workers; i++)
            await cluster.AddAsync();
        return cluster;
    }

    public async Task<ScriptedSession> AddAsync(CancellationToken leave = default, ILoggerFactory? loggers = null)
    {
        Exits.Add(Start($"w{Exits.Count}", leave, loggers));
        var session = await script.WelcomeAsync(Limit);
        Members.Add(session);
        return session;
    }

    public Task<int> Start(string id, CancellationToken leave = default, ILoggerFactory? loggers = null) => Task.Run(async () =>
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop.Token, leave);
        var options = new WorkerOptions
        {
            Coordinator = script.Address,
            Threads = 1,
            WorkerId = id,
            Errors = errors,
            Loggers = loggers ?? NullLoggerFactory.Instance,
        };
        return await WorkerHost.RunAsync(options, either.Token);
    });

    /// <summary>A new generation of all members; returns their state hashes.</summary>
    public async Task<List<string>> BeginGenerationAsync(IReadOnlyList<ShardRange> ranges, string checkpoint = "", params string[] sources)
    {
        Generation++;
        var started = new GenerationStarted { BaseStep = (ulong)Step, BaseHash = Hash, Checkpoint = checkpoint, Reason = "the test says so" };
        started.Sources.AddRange(sources);
        started.Members.AddRange(Members.Select((m, i) => new Member
        {
            WorkerId = m.Hello.WorkerId,
            Address = m.Hello.Address,
            FirstShard = (uint)ranges[i].First,
            EndShard = (uint)ranges[i].End,
            Votes = true,
        }));
        await Task.WhenAll(Members.Select(m => m.SendAsync(Generation, Step, o => o.GenerationStarted = started)));
        var positions = await Task.WhenAll(Members.Select(m => m.ExpectAsync(WorkerMessage.BodyOneofCase.InPosition, Limit)));
        return positions.Select(p => p.InPosition.StateHash).ToList();
    }

    /// <summary>Begins at a step that another cluster committed.</summary>
    public async Task ResumeAsync(long step, ulong hash, string checkpoint)
    {
        (Step, Hash) = (step, hash);
        await BeginGenerationAsync(Even(Members.Count), checkpoint);
    }

    /// <summary>The hash that was voted for a step, while there was one generation.</summary>
    public ulong HashOf(int step) => Votes[(step - 1) * Members.Count].Hash;

    /// <summary>Orders a step and collects the votes, which must agree.</summary>
    public async Task<Vote> VoteAsync()
    {
        await Task.WhenAll(Members.Select(m => m.SendAsync(Generation, Step + 1, o => o.StartStep = new StartStep())));
        var votes = await Task.WhenAll(Members.Select(m => m.ExpectAsync(WorkerMessage.BodyOneofCase.Vote, Limit)));
        Votes.AddRange(votes.Select(v => v.Vote));
        Xunit.Assert.Single(votes.Select(v => v.Vote.Hash).Distinct());
        return votes[0].Vote;
    }

    public async Task CommitAsync(Vote vote, params int[] members)
    {
        (Step, Hash) = (Step + 1, vote.Hash);
        var told = members.Length == 0 ? Members : members.Select(i => Members[i]);
        await Task.WhenAll(told.Select(m => m.SendAsync(Generation, Step, o => o.Commit = new Commit { Hash = vote.Hash })));
    }

    public async Task StepsAsync(int count)
    {
        for (var i = 0; i < count; i++)
            await CommitAsync(await VoteAsync());
    }

    public async Task<CheckpointWritten> SaveAsync(string file, bool weightsOnly = false, int member = 0)
    {
        await Members[member].SendAsync(Generation, Step, o => o.WriteCheckpoint = new WriteCheckpoint { Directory = output, File = file, WeightsOnly = weightsOnly });
        return (await Members[member].ExpectAsync(WorkerMessage.BodyOneofCase.Checkpoint, Limit)).Checkpoint;
    }

    public async Task EndAsync(string state = "completed") => await Task.WhenAll(Members.Select(m => m.SendAsync(Generation, Step, o =>
        o.RunEnded = new RunEnded { Completed = state == "completed", State = state, Reason = "the test is over" })));

    /// <summary>A partition of the shards for so many members, as even as it goes.</summary>
    public static List<ShardRange> Even(int members) =>
        Enumerable.Range(0, members).Select(i => new ShardRange(Shards * i / members, Shards * (i + 1) / members)).ToList();

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(Exits);
        await script.DisposeAsync();
        limit.Dispose();
        stop.Dispose();
        Directory.Delete(output, recursive: true);
    }
}
