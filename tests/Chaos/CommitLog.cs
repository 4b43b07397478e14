using System.Text;
using System.Text.Json;

namespace AdderNet.Chaos;

/// <summary>A committed step as its line in metrics.jsonl tells it, and when the line came.</summary>
internal sealed record Commit(long Step, long Generation, int World, long Stamp);

/// <summary>Reads metrics.jsonl as the coordinator writes it, and notes when each committed step appears.</summary>
internal sealed class CommitLog : IAsyncDisposable
{
    private readonly string file;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource stop = new();
    private readonly Lock gate = new();
    private readonly List<Commit> commits = [];
    private readonly Task reading;
    private long offset;

    public CommitLog(string file, TimeProvider time)
    {
        (this.file, this.time) = (file, time);
        reading = ReadAsync();
    }

    /// <summary>The newest commit, or null.</summary>
    public Commit? Last
    {
        get
        {
            lock (gate)
                return commits.LastOrDefault();
        }
    }

    /// <summary>Every commit seen, those that were made again included.</summary>
    public IReadOnlyList<Commit> Seen
    {
        get
        {
            lock (gate)
                return [.. commits];
        }
    }

    /// <summary>The first commit of which something is true, within a bound.</summary>
    public async Task<Commit> FirstAsync(Func<Commit, bool> condition, TimeSpan within, string what, int from = 0)
    {
        var began = time.GetTimestamp();
        while (time.GetElapsedTime(began) < within)
        {
            lock (gate)
            {
                if (commits.Skip(from).FirstOrDefault(condition) is { } found)
                    return found;
                from = commits.Count;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(1), time, stop.Token);
        }

        throw new ChaosException($"{what} did not come within {within.TotalSeconds:0} s; the newest commit is {Last}");
    }

    public int Count
    {
        get
        {
            lock (gate)
                return commits.Count;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    private async Task ReadAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            ReadNew();
            await Task.Delay(TimeSpan.FromMilliseconds(1), time, stop.Token);
        }
    }

    private void ReadNew()
    {
        if (!File.Exists(file))
            return;
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (stream.Length < offset)
            offset = stream.Length; // lines beyond a recovery base were cut off
        if (stream.Length == offset)
            return;
        stream.Position = offset;
        var bytes = new byte[stream.Length - offset];
        stream.ReadExactly(bytes);
        var whole = Array.LastIndexOf(bytes, (byte)'\n') + 1;
        offset += whole;
        var stamp = time.GetTimestamp();
        foreach (var line in Encoding.UTF8.GetString(bytes, 0, whole).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            Take(line, stamp);
    }

    private void Take(string line, long stamp)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            if (!json.RootElement.TryGetProperty("generation", out var generation))
                return;
            lock (gate)
                commits.Add(new Commit(json.RootElement.GetProperty("step").GetInt64(), generation.GetInt64(), json.RootElement.GetProperty("world").GetInt32(), stamp));
        }
        catch (JsonException)
        {
            // The rest of a line whose beginning was cut off.
        }
    }
}
