using System.Globalization;
using AdderNet.Cli.CommandLine;

namespace AdderNet.Cli.Benchmarks.Exchange;

/// <summary>What is exchanged.</summary>
/// <param name="Workers">Processes, at least 2.</param>
/// <param name="Megabytes">Of the gradient (10^6 bytes).</param>
/// <param name="BucketMegabytes">As <c>exchange.bucket_megabytes</c> (2^20 bytes).</param>
/// <param name="GroupSize">As <c>exchange.group_size</c>.</param>
/// <param name="Rounds">Samples of each contender.</param>
/// <param name="WarmUp">Longest time for rounds that do not count (<see cref="Benchmarks.WarmUp"/>).</param>
/// <param name="Alone">The all-reduce only, without the others that it is compared with.</param>
internal sealed record ExchangeLoad(int Workers, double Megabytes, double BucketMegabytes, int GroupSize, int Rounds, TimeSpan WarmUp, bool Alone);

/// <summary>One contender.</summary>
/// <param name="Name">What moved the bytes.</param>
/// <param name="Bytes">Bytes that crossed between processes.</param>
/// <param name="Seconds">Median of a round.</param>
/// <param name="Best">The shortest round's seconds.</param>
/// <param name="Allocated">Managed bytes that all processes allocated in a round, median.</param>
internal sealed record ExchangeRow(string Name, long Bytes, double Seconds, double Best, double Allocated)
{
    public double MegabytesPerSecond => Bytes / 1e6 / Seconds;

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Name,-28} {Bytes / 1e6,7:0.0} MB  {Seconds * 1e3,7:0.0} ms (best {Best * 1e3,6:0.0})  {MegabytesPerSecond,6:0} MB/s  allocated {Allocated / 1e3,8:0} kB");
}

/// <summary>What the contenders say of each other.</summary>
/// <param name="StreamOfHttp">Rate of one stream of pieces over that of a bare HTTP/2 response.</param>
/// <param name="StreamOfPlain">The same over a straightforward gRPC stream of protobuf messages.</param>
/// <param name="AllReduceOfHttp">Time of an all-reduce over that of the same bytes as bare HTTP/2 responses among all processes.</param>
internal sealed record ExchangeRatios(double StreamOfHttp, double StreamOfPlain, double AllReduceOfHttp);

/// <summary>All-reduce of a gradient between processes on this machine, beside what else moves bytes between them, round by round.</summary>
internal sealed class ExchangeBench(ExchangeLoad load, TimeProvider clock)
{
    private const int FewestUncounted = 5;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Elements of the gradient.</summary>
    private int Length => (int)(load.Megabytes * 1e6 / sizeof(float));

    /// <returns>A row of each contender; no ratios where there is only one.</returns>
    /// <exception cref="CommandFailedException">A process ended, or the mean is not what it must be.</exception>
    public async Task<(IReadOnlyList<ExchangeRow> Rows, ExchangeRatios? Ratios)> MeasureAsync(CancellationToken cancellation)
    {
        var members = new List<MemberProcess>();
        try
        {
            for (var i = 0; i < load.Workers; i++)
                members.Add(MemberProcess.Start(i, Length, load.BucketMegabytes, load.GroupSize));
            var where = new List<string>();
            foreach (var member in members)
                where.Add((await member.AnswerAsync(Patience, clock, cancellation).ConfigureAwait(false)).Replace(' ', '|'));
            await AskAllAsync(members, $"members {string.Join(' ', where)}", cancellation).ConfigureAwait(false);
            return await RoundsAsync(members, cancellation).ConfigureAwait(false);
        }
        finally
        {
            foreach (var member in members)
                await member.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<(IReadOnlyList<ExchangeRow> Rows, ExchangeRatios? Ratios)> RoundsAsync(List<MemberProcess> members, CancellationToken cancellation)
    {
        var bytes = (long)Length * sizeof(float);
        // Each member takes the sums of its share from every other one, and every other one's share of the mean; groups change
        // whom it takes them from, not how much.
        var moved = 2 * bytes * (load.Workers - 1);
        var step = 0;
        (string Name, long Bytes, Func<Task<IReadOnlyList<string>>> Run)[] contenders =
        [
            ("all-reduce", moved, () => AskAllAsync(members, $"reduce {++step}", cancellation)),
            ($"{BatchNormMeetings.Count} batch-norm meetings", (long)BatchNormMeetings.Count * BatchNormMeetings.Bytes * load.Workers * (load.Workers - 1), () => AskAllAsync(members, $"meet {++step}", cancellation)),
            ("HTTP/2 among all", moved, () => AskAllAsync(members, $"http-all {moved / load.Workers / (load.Workers - 1)}", cancellation)),
            ("one stream of pieces", bytes, () => AskAsync(members[0], "piece 1", cancellation)),
            ("one HTTP/2 response", bytes, () => AskAsync(members[0], $"http 1 {bytes}", cancellation)),
            ("one protobuf gRPC stream", bytes, () => AskAsync(members[0], "plain 1", cancellation)),
            ("one TCP stream", bytes, () => AskAsync(members[0], $"tcp 1 {bytes}", cancellation)),
            ("pieces thrown away", bytes, () => AskAsync(members[0], "piece-drop 1", cancellation)),
            ("HTTP/2, vector to vector", bytes, () => AskAsync(members[0], "http-keep 1", cancellation)),
        ];
        if (load.Alone)
            contenders = contenders[..1];
        var seconds = contenders.Select(_ => new List<double>()).ToList();
        var allocated = contenders.Select(_ => new List<double>()).ToList();
        var warmUp = new WarmUp(clock, load.WarmUp);
        for (var (round, counted) = (0, false); seconds[0].Count < load.Rounds; round++)
        {
            counted = counted || (!warmUp.Goes(await CompilingAsync(members, cancellation).ConfigureAwait(false)) && round >= FewestUncounted);
            for (var i = 0; i < contenders.Length; i++)
            {
                var start = clock.GetTimestamp();
                var answers = await contenders[i].Run().ConfigureAwait(false);
                var time = clock.GetElapsedTime(start).TotalSeconds;
                if (i == 0 && await AskAllAsync(members, "check", cancellation).ConfigureAwait(false) is var checks && checks.FirstOrDefault(c => !c.StartsWith("right ", StringComparison.Ordinal)) is { } wrong)
                    throw new CommandFailedException($"the mean of step {step} is wrong: {wrong}");
                if (!counted)
                    continue;
                seconds[i].Add(time);
                allocated[i].Add(answers.Sum(a => double.Parse(a.Split(' ')[^1], CultureInfo.InvariantCulture)));
            }
        }

        var rows = contenders.Select((c, i) => new ExchangeRow(c.Name, c.Bytes, new Timing(seconds[i]).Median, new Timing(seconds[i]).Minimum, Timing.MedianOf(allocated[i]))).ToList();
        return (rows, load.Alone ? null : new ExchangeRatios(rows[4].Seconds / rows[3].Seconds, rows[5].Seconds / rows[3].Seconds, rows[0].Seconds / rows[2].Seconds));
    }

    private async Task<TimeSpan> CompilingAsync(List<MemberProcess> members, CancellationToken cancellation)
    {
        var answers = await AskAllAsync(members, "compiling", cancellation).ConfigureAwait(false);
        return TimeSpan.FromTicks(answers.Sum(a => long.Parse(a.Split(' ')[0], CultureInfo.InvariantCulture)));
    }

    private async Task<IReadOnlyList<string>> AskAllAsync(List<MemberProcess> members, string what, CancellationToken cancellation)
    {
        foreach (var member in members)
            await member.AskAsync(what).ConfigureAwait(false);
        return await Task.WhenAll(members.Select(m => m.AnswerAsync(Patience, clock, cancellation))).ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<string>> AskAsync(MemberProcess member, string what, CancellationToken cancellation)
    {
        await member.AskAsync(what).ConfigureAwait(false);
        return [await member.AnswerAsync(Patience, clock, cancellation).ConfigureAwait(false)];
    }
}
