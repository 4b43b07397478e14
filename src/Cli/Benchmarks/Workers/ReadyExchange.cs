using AdderNet.Cli.Benchmarks.Exchange;
using AdderNet.Cli.CommandLine;
using AdderNet.Core.Configuration;

namespace AdderNet.Cli.Benchmarks.Workers;

/// <summary>The exchange of a gradient that is finished, among processes that do nothing else: what there is to hide.</summary>
internal sealed class ReadyExchange : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly List<MemberProcess> members = [];
    private readonly TimeProvider clock;
    private int step;

    private ReadyExchange(TimeProvider clock) => this.clock = clock;

    /// <param name="workers">Processes.</param>
    /// <param name="length">Elements of the reduction vector.</param>
    /// <param name="clock">The time.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="CommandFailedException">A process ended.</exception>
    public static async Task<ReadyExchange> StartAsync(int workers, int length, TimeProvider clock, CancellationToken cancellation)
    {
        var options = new ExchangeOptions();
        var exchange = new ReadyExchange(clock);
        try
        {
            for (var i = 0; i < workers; i++)
                exchange.members.Add(MemberProcess.Start(i, length, options.BucketMegabytes, options.GroupSize));
            await exchange.FormAsync(cancellation).ConfigureAwait(false);
            await exchange.SampleAsync(20, cancellation).ConfigureAwait(false);
            return exchange;
        }
        catch
        {
            await exchange.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Seconds of so many exchanges.</summary>
    public async Task<IReadOnlyList<double>> SampleAsync(int times, CancellationToken cancellation)
    {
        var seconds = new List<double>(times);
        for (var i = 0; i < times; i++)
        {
            var began = clock.GetTimestamp();
            await AskAllAsync($"reduce {++step}", cancellation).ConfigureAwait(false);
            seconds.Add(clock.GetElapsedTime(began).TotalSeconds);
        }

        return seconds;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var member in members)
            await member.DisposeAsync().ConfigureAwait(false);
    }

    private async Task FormAsync(CancellationToken cancellation)
    {
        var where = new List<string>();
        foreach (var member in members)
            where.Add((await member.AnswerAsync(Patience, clock, cancellation).ConfigureAwait(false)).Replace(' ', '|'));
        await AskAllAsync($"members {string.Join(' ', where)}", cancellation).ConfigureAwait(false);
    }

    private async Task AskAllAsync(string what, CancellationToken cancellation)
    {
        foreach (var member in members)
            await member.AskAsync(what).ConfigureAwait(false);
        foreach (var member in members)
            await member.AnswerAsync(Patience, clock, cancellation).ConfigureAwait(false);
    }
}
