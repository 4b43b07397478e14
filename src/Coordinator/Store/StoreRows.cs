using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using AdderNet.Coordinator.RunLogic;
using AdderNet.Core.Sharding;

namespace AdderNet.Coordinator.Store;

/// <summary>How enumerations and hashes are spelt in tables.</summary>
internal static class StoredNames
{
    public static string Of<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();

    public static T To<T>(string name) where T : struct, Enum => Enum.TryParse<T>(name, ignoreCase: true, out var value)
        ? value
        : throw new StoreException($"the store holds {typeof(T).Name} '{name}', which this build does not know");

    public static string Hex(ulong hash) => hash.ToString("x16", CultureInfo.InvariantCulture);

    public static ulong FromHex(string text) => ulong.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}

/// <summary>Members of a generation as JSON.</summary>
internal static class MemberJson
{
    private sealed record Item(string Worker, string Address, int First, int End, bool Votes);

    public static string Write(ImmutableArray<GenerationMember> members) =>
        JsonSerializer.Serialize(members.Select(m => new Item(m.WorkerId, m.Address, m.Range.First, m.Range.End, m.Votes)));

    public static ImmutableArray<GenerationMember> Read(string json) =>
        [.. JsonSerializer.Deserialize<Item[]>(json)!.Select(i => new GenerationMember(i.Worker, i.Address, new ShardRange(i.First, i.End), i.Votes))];
}

internal sealed class LeaseRow
{
    public long Token { get; init; }

    public string Owner { get; init; } = "";

    public long ExpiresMs { get; init; }

    /// <summary>By the clock that <see cref="ExpiresMs"/> was measured with.</summary>
    public long NowMs { get; init; }
}

internal sealed class RunRow
{
    public const string Select = """
        SELECT id AS Id, description AS Description, initial_weights AS InitialWeights, expected_workers AS ExpectedWorkers,
            output AS Output, state AS State, reason AS Reason, step AS Step, facts AS Facts, training_seconds AS TrainingSeconds,
            created_ms AS CreatedMs FROM runs
        """;

    public string Id { get; init; } = "";

    public string Description { get; init; } = "";

    public string InitialWeights { get; init; } = "";

    public long ExpectedWorkers { get; init; }

    public string Output { get; init; } = "";

    public string State { get; init; } = "";

    public string Reason { get; init; } = "";

    public long Step { get; init; }

    public string? Facts { get; init; }

    public double TrainingSeconds { get; init; }

    public long CreatedMs { get; init; }

    public StoredRun ToRun() => new(
        Id, Description, InitialWeights, (int)ExpectedWorkers, Output, StoredNames.To<RunCondition>(State), Reason, Step,
        Facts is null ? null : JsonSerializer.Deserialize<RunFacts>(Facts), TimeSpan.FromSeconds(TrainingSeconds),
        DateTimeOffset.FromUnixTimeMilliseconds(CreatedMs));
}

internal sealed class GenerationRow
{
    public const string Select = Columns + " ORDER BY number";

    public const string SelectHighest = Columns + " ORDER BY number DESC LIMIT 1";

    private const string Columns = """
        SELECT number AS Number, fencing_token AS FencingToken, members AS Members, base_step AS BaseStep, reason AS Reason,
            made_ms AS MadeMs FROM generations WHERE run_id = @runId
        """;

    public long Number { get; init; }

    public long FencingToken { get; init; }

    public string Members { get; init; } = "";

    public long BaseStep { get; init; }

    public string Reason { get; init; } = "";

    public long MadeMs { get; init; }

    public GenerationRecord ToRecord() => new(
        Number, FencingToken, MemberJson.Read(Members), BaseStep, Reason, DateTimeOffset.FromUnixTimeMilliseconds(MadeMs));
}

internal sealed class CheckpointRow
{
    public const string Select = """
        SELECT file AS File, step AS Step, kind AS Kind, sha256 AS Sha256, bytes AS Bytes, weights_hash AS WeightsHash,
            voted_hash AS VotedHash FROM checkpoints WHERE run_id = @runId ORDER BY step
        """;

    public string File { get; init; } = "";

    public long Step { get; init; }

    public string Kind { get; init; } = "";

    public string Sha256 { get; init; } = "";

    public long Bytes { get; init; }

    public string WeightsHash { get; init; } = "";

    public string VotedHash { get; init; } = "";

    public CheckpointRecord ToRecord() => new(
        Step, StoredNames.To<CheckpointKind>(Kind), File, Sha256, Bytes, WeightsHash, StoredNames.FromHex(VotedHash));
}

internal sealed class EvaluationRow
{
    public const string Select = """
        SELECT step AS Step, samples AS Samples, top1 AS Top1, top5 AS Top5, loss_sum AS LossSum FROM evaluations
        WHERE run_id = @runId ORDER BY step
        """;

    public long Step { get; init; }

    public long Samples { get; init; }

    public long Top1 { get; init; }

    public long Top5 { get; init; }

    public double LossSum { get; init; }

    public EvaluationRecord ToRecord() => new(Step, Samples, Top1, Top5, LossSum);
}

internal sealed class HistoryRow
{
    public const string Select = "SELECT at_ms AS AtMs, kind AS Kind, step AS Step, text AS Text FROM history WHERE run_id = @runId ORDER BY number";

    public long AtMs { get; init; }

    public string Kind { get; init; } = "";

    public long Step { get; init; }

    public string Text { get; init; } = "";

    public HistoryEntry ToEntry() => new(DateTimeOffset.FromUnixTimeMilliseconds(AtMs), Kind, Step, Text);
}
