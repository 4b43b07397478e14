using System.Globalization;
using Xunit;

namespace AdderNet.Samples.Tests;

public sealed class CustomLoopTests
{
    [Fact]
    public async Task A_model_of_ones_own_learns_without_a_coordinator_to_the_same_bits_at_any_number_of_threads()
    {
        var one = await SampleProcess.RunAsync("CustomLoop", "synthetic", "60", "1");
        var two = await SampleProcess.RunAsync("CustomLoop", "synthetic", "60", "2");

        Assert.Equal((0, 0), (one.ExitCode, one.Errors.Length));
        Assert.Equal(one.Output, two.Output);
        Assert.Matches("^weights [0-9a-f]{64}$", one.Output[^1]);
        var losses = one.Output.Where(line => line.StartsWith("step ", StringComparison.Ordinal)).Select(line => Number(line.Split("loss ")[1].Split(' ')[0])).ToList();
        Assert.True(losses[^1] < 0.5 * losses[0], string.Join(' ', losses));
        Assert.True(Number(one.Output[^2].Split(' ')[^1]) > 0.8, one.Output[^2]);
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
