namespace AdderNet.Cli.Training;

/// <summary>
/// Tells a coordinator that hangs (a stopped process, a machine that thrashes) from one that works: it answers
/// <c>/healthz</c>. Counted in questions, not in time, so that a <c>train</c> that stood still itself draws no conclusion from it.
/// </summary>
internal sealed class CoordinatorPulse(HttpClient http, TimeProvider clock)
{
    /// <summary>So many questions in a row without an answer, one a second, and it counts as hung.</summary>
    public const int MostMissed = 4;

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>Asks until the coordinator counts as hung.</summary>
    /// <exception cref="OperationCanceledException">Cancelled before.</exception>
    public async Task UntilHungAsync(Uri coordinator, CancellationToken cancellation)
    {
        var question = new Uri(coordinator, "/healthz");
        var missed = 0;
        while (missed < MostMissed)
        {
            var pause = Task.Delay(Period, clock, cancellation);
            missed = await AnswersAsync(question, cancellation).ConfigureAwait(false) ? 0 : missed + 1;
            await pause.ConfigureAwait(false);
        }
    }

    private async Task<bool> AnswersAsync(Uri question, CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(Period, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        try
        {
            using var answer = await http.GetAsync(question, either.Token).ConfigureAwait(false);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return false;
        }
    }
}
