using System.CommandLine;
using AdderNet.Cli.Benchmarks;
using AdderNet.Cli.CommandLine;
using AdderNet.Core.Checkpoints;
using AdderNet.Core.Configuration;

namespace AdderNet.Cli.Commands;

/// <summary><c>addernet bench pixels</c>: rendered photographs for another library to be compared with.</summary>
internal static class BenchPixelsCommand
{
    private const int Side = 224;

    public static Command Create()
    {
        var data = EnvironmentOption.Text("--data", "Folder with photographs at any depth", "DIR");
        var file = new Option<string?>("--output") { Description = "safetensors file that receives the samples and the crops drawn", HelpName = "FILE" };
        var images = EnvironmentOption.Number("--images", "Photographs, evenly picked; without it 200", "N", 1, 200);
        var decode = new Option<PhotographDecoding>("--decode")
        {
            Description = "How much of a JPEG's resolution is decoded",
            HelpName = string.Join('|', Spelling.All<PhotographDecoding>()),
            CustomParser = result =>
            {
                if (!Spelling.TryParse<PhotographDecoding>(result.Tokens[0].Value, out var value))
                    result.AddError($"--decode: '{result.Tokens[0].Value}' is not known; valid: {string.Join(", ", Spelling.All<PhotographDecoding>())}");
                return value;
            },
        };
        var command = new ExampleCommand(
            "pixels",
            "Renders photographs at 224 x 224 as evaluation and as training see them and writes them with the crops that were drawn; bench/pixels_beside_torchvision.py renders the same with torchvision and compares.",
            "./addernet bench pixels --data datasets/photographs --output pixels.safetensors")
        {
            data, file, images, decode,
        };
        command.SetAction(parsed =>
        {
            var directory = parsed.GetValue(data)
                ?? throw new CommandFailedException("--data is missing; valid: --data datasets/photographs", ExitCode.WrongInput);
            var path = parsed.GetValue(file)
                ?? throw new CommandFailedException("--output is missing; valid: --output pixels.safetensors", ExitCode.WrongInput);
            if (!Directory.Exists(directory))
                throw new CommandFailedException($"--data: {directory} is no directory; for example --data datasets/photographs");
            var names = PixelSheet.Pick(directory, parsed.GetValue(images) ?? 200);
            AtomicFile.Write(path, "bench", stream => SafetensorsFile.Write(
                stream, PixelSheet.Render(directory, names, Side, parsed.GetValue(decode)), new Dictionary<string, string>()));
            parsed.InvocationConfiguration.Output.WriteLine($"{path}: {names.Count} photographs");
            return ExitCode.Done;
        });
        return command;
    }
}
