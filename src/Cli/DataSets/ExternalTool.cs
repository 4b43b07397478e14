using System.ComponentModel;
using System.Diagnostics;

namespace AdderNet.Cli.DataSets;

/// <summary>Runs a program of the machine to its end.</summary>
internal static class ExternalTool
{
    /// <exception cref="DataSourceException">The program is not there, or fails; the message carries its last line.</exception>
    public static async Task RunAsync(string program, IReadOnlyList<string> arguments, string directory, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = directory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process process;
        try
        {
            process = Process.Start(start) ?? throw new DataSourceException($"{program} did not start");
        }
        catch (Win32Exception)
        {
            throw new DataSourceException($"{program} is not installed");
        }

        using (process)
        {
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(cancellation);
            var errors = process.StandardError.ReadToEndAsync(cancellation);
            try
            {
                await process.WaitForExitAsync(cancellation).ConfigureAwait(false);
                await Task.WhenAll(output, errors).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }

            if (process.ExitCode != 0)
            {
                var last = (await errors.ConfigureAwait(false) + await output.ConfigureAwait(false))
                    .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault();
                throw new DataSourceException($"{program} {arguments[0]} ended with {process.ExitCode}{(last is null ? "" : ": " + last)}");
            }
        }
    }
}
