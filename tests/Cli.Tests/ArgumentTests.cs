using Xunit;

namespace AdderNet.Cli.Tests;

public sealed class ArgumentTests
{
    [Theory]
    [InlineData("data fetch cifar10 /tmp/never", "cifar10", "valid: mnist, fashion-mnist")]
    [InlineData("data fetch mnist", "missing", "valid: ./addernet data fetch mnist")]
    [InlineData("trian configs/mnist-lenet5.yaml", "trian", "valid: ./addernet train")]
    [InlineData("data fetch mnist /tmp/never --fast", "--fast", "valid: ./addernet data fetch mnist")]
    public async Task A_wrong_argument_is_answered_by_one_line_that_names_it_and_status_2(string arguments, string named, string valid)
    {
        var result = await CliProcess.RunAsync(arguments.Split(' '));

        Assert.Equal(2, result.ExitCode);
        var line = Assert.Single(result.ErrorLines);
        Assert.Contains(named, line);
        Assert.Contains(valid, line);
        Assert.Empty(result.Output);
    }

    [Fact]
    public async Task Help_shows_a_command_that_trains()
    {
        var result = await CliProcess.RunAsync("--help");

        Assert.Equal(0, result.ExitCode);
        Assert.Contains("./addernet train configs/mnist-lenet5.yaml --workers 2", result.Output);
    }
}
