namespace AdderNet.Worker.Exchange;

/// <summary>Pulls that stand or fall together: the first failure ends the others and is the one reported.</summary>
internal static class PullGroup
{
    /// <summary>Runs all pulls at once and waits until every one has ended.</summary>
    public static async Task RunAsync(IEnumerable<Func<CancellationToken, Task>> pulls, CancellationToken cancellation)
    {
        using var group = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Exception? first = null;
        await Task.WhenAll(pulls.Select(pull => GuardAsync(pull)).ToList());
        if (first is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(first);

        async Task GuardAsync(Func<CancellationToken, Task> pull)
        {
            try
            {
                await pull(group.Token);
            }
            catch (Exception e)
            {
                if (Interlocked.CompareExchange(ref first, e, null) is null)
                    await group.CancelAsync();
            }
        }
    }
}
