using System.Globalization;

namespace AdderNet.Cli.Benchmarks.Workers;

/// <summary>A run with one number of workers, in medians over its steps.</summary>
/// <param name="Workers">How many.</param>
/// <param name="Steps">Steps that were timed.</param>
/// <param name="Seconds">From a step's start to its commit.</param>
/// <param name="ComputeSeconds">The slowest worker's forward and backward passes.</param>
/// <param name="DataWaitSeconds">The longest wait for samples within those.</param>
/// <param name="ImagesPerSecond">Of the median.</param>
/// <param name="SpeedUp">Over one worker.</param>
/// <param name="LoopSpeedUp">What a loop without memory gains from as many cores, in the same minutes.</param>
/// <param name="Efficiency">The first over the second.</param>
/// <param name="ExchangeSeconds">An all-reduce of the same gradient among as many processes that do nothing else.</param>
/// <param name="ExchangeLeft">What a step takes beyond its compute, less what it takes so with one worker: the exchange that is not hidden.</param>
/// <param name="Hidden">Share of the exchange that the backward pass hides.</param>
internal sealed record WorkersRow(
    int Workers, int Steps, double Seconds, double ComputeSeconds, double DataWaitSeconds, double ImagesPerSecond,
    double SpeedUp, double LoopSpeedUp, double Efficiency, double ExchangeSeconds, double ExchangeLeft, double Hidden)
{
    /// <summary>The row for people.</summary>
    public IEnumerable<string> Lines()
    {
        yield return Text($"{Workers} worker(s)  {Seconds * 1e3:0.0} ms a step, median of {Steps}; compute {ComputeSeconds * 1e3:0.0} ms, of it waits for samples {DataWaitSeconds * 1e3:0.0} ms; {ImagesPerSecond:0.0} images/s");
        if (Workers == 1)
            yield break;
        yield return Text($"  {SpeedUp:0.000} times one worker, a loop without memory gains {LoopSpeedUp:0.000}: efficiency {Efficiency:0.0 %}");
        yield return Text($"  exchange {ExchangeSeconds * 1e3:0.00} ms by itself, {ExchangeLeft * 1e3:0.00} ms of a step: {Hidden:0 %} hidden behind the backward pass");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
