using System.Text.Json;
using Xunit;

namespace AdderNet.Cli.Tests;

public sealed class ArgumentTests
{
    [Theory]
    [InlineData("data fetch cifar10 /tmp/never", "cifar10", "valid: mnist, fashion-mnist")]
    [InlineData("data fetch mnist", "missing", "valid: ./addernet data fetch mnist")]
    [InlineData("trian configs/mnist-lenet5.yaml", "trian", "valid: ./addernet train")]
    [InlineData("data fetch mnist /tmp/never --fast", "--fast", "valid: ./addernet data fetch mnist")]
    [InlineData("train configs/mnist-lenet5.yaml --output ", "empty", "valid: ./addernet train")]
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

    [Theory]
    [InlineData("ADDERNET_STORE", "files", "valid: ADDERNET_STORE=sqlite:coordinator.db")]
    [InlineData("ADDERNET_STANDBY", "yes", "valid: ADDERNET_STANDBY=true")]
    [InlineData("ADDERNET_HOST", "nowhere", "valid: ADDERNET_HOST=embedded")]
    [InlineData("ADDERNET_LISTEN", "http://127.0.0.1:1/path", "valid: ADDERNET_LISTEN=http://0.0.0.0:7400")]
    [InlineData("ADDERNET_LOG_FORMAT", "xml", "valid: ADDERNET_LOG_FORMAT=json")]
    public async Task A_wrong_variable_is_named_as_a_variable(string variable, string value, string valid)
    {
        var result = await CliProcess.RunAsync(new Dictionary<string, string> { [variable] = value }, "coordinator");

        Assert.Equal(2, result.ExitCode);
        var line = Assert.Single(result.ErrorLines);
        Assert.StartsWith($"addernet: {variable}: '{value}'", line);
        Assert.Contains(valid, line);
    }

    [Theory]
    [InlineData("postgres:Database=addernet;Password=secret", "names no Host; valid: ADDERNET_STORE=postgres:Host=")]
    [InlineData("postgres:Hst=db;Password=secret", "is no connection string")]
    public async Task A_wrong_connection_string_is_told_without_the_password_that_it_holds(string value, string said)
    {
        var result = await CliProcess.RunAsync(new Dictionary<string, string> { ["ADDERNET_STORE"] = value }, "coordinator");

        Assert.Equal(2, result.ExitCode);
        var line = Assert.Single(result.ErrorLines);
        Assert.StartsWith("addernet: ADDERNET_STORE: ", line);
        Assert.Contains(said, line);
        Assert.DoesNotContain("secret", line);
    }

    [Fact]
    public async Task With_json_logs_the_line_that_says_why_is_json_too()
    {
        var result = await CliProcess.RunAsync("status", "--coordinator", "http://127.0.0.1:1", "--log-format", "json");

        Assert.Equal(1, result.ExitCode);
        using var line = JsonDocument.Parse(Assert.Single(result.ErrorLines));
        Assert.Contains("http://127.0.0.1:1", line.RootElement.GetProperty("Message").GetString());
    }

    [Fact]
    public async Task A_dry_run_prints_a_description_that_can_be_run_again()
    {
        var folder = Directory.CreateTempSubdirectory("addernet-dry-");
        try
        {
            var config = Path.Combine(folder.FullName, "run.yaml");
            await File.WriteAllTextAsync(config, "model: {name: lenet5}\ndata: {format: synthetic, image_size: 28}\n");
            var first = await CliProcess.RunAsync("train", config, "--output", "/nowhere/run", "--dry-run");
            Assert.True(first.ExitCode == 0, first.Errors);
            Assert.Contains("# parameters  ", first.Output);
            await File.WriteAllTextAsync(config, first.Output);

            var second = await CliProcess.RunAsync("train", config, "--dry-run");

            Assert.Equal(first.Output, second.Output);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
