using System.Globalization;
using System.Text.Json;
using Xunit;

namespace AdderNet.Cli.Tests;

public sealed class BenchExchangeTests
{
    [Fact]
    public async Task What_an_exchange_allocates_does_not_grow_with_the_gradient()
    {
        // Of both sizes come eight buckets, so that all that differs is their bytes.
        const double Small = 8, Large = 32, Most = 400e3;

        // About 1 kB a megabyte for the waits of Kestrel's pipes; it was 20 kB a megabyte when each message of 128 KiB left by itself from blocks of 4 KiB.
        // On a busy machine pools still fill while rounds are counted, now and then: what grows with the gradient does so every time.
        var grown = double.PositiveInfinity;
        for (var run = 0; run < 4 && grown > Most; run++)
            grown = Math.Min(grown, await AllocatedAsync(Large) - await AllocatedAsync(Small));
        Assert.InRange(grown, double.NegativeInfinity, Most);
    }

    /// <summary>Managed bytes that two processes allocate in an exchange of so many megabytes; each of them takes in and gives as many bytes as the gradient has.</summary>
    private static async Task<double> AllocatedAsync(double megabytes)
    {
        var folder = Directory.CreateTempSubdirectory("addernet-");
        var file = Path.Combine(folder.FullName, "exchange.json");
        try
        {
            var result = await CliProcess.RunAsync("bench", "exchange", "--megabytes", megabytes.ToString(CultureInfo.InvariantCulture), "--rounds", "5", "--warm-up", "0", "--alone", "--json", file);
            Assert.Equal((0, ""), (result.ExitCode, result.Errors));
            using var report = JsonDocument.Parse(await File.ReadAllBytesAsync(file));
            return report.RootElement.GetProperty("rows").EnumerateArray().Single(row => row.GetProperty("name").GetString() == "all-reduce").GetProperty("allocated").GetDouble();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
