using Xunit;

namespace AdderNet.EndToEnd.Tests;

/// <summary>Waits, within a bound, for what another process does.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    public static Task FileAsync(string path) => TrueAsync(() => File.Exists(path), $"{path} did not appear");

    public static async Task TrueAsync(Func<bool> condition, string otherwise)
    {
        using var limit = new CancellationTokenSource(Limit);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        try
        {
            while (!condition())
                await timer.WaitForNextTickAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"{otherwise} within {Limit}");
        }
    }
}
