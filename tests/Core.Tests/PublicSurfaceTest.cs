using System.Runtime.CompilerServices;
using AdderNet.Core.Engine;
using Xunit;

namespace AdderNet.Core.Tests;

public sealed class PublicSurfaceTest
{
    private const string Update = "UPDATE_PUBLIC_SURFACE";

    [Fact]
    public void The_public_surface_is_the_one_that_was_agreed_on()
    {
        var file = Path.Combine(Folder(), "PublicSurface.txt");
        var found = PublicSurface.Describe(typeof(LocalTrainer).Assembly).ToList();
        if (Environment.GetEnvironmentVariable(Update) == "1")
            File.WriteAllLines(file, found);

        var agreed = File.ReadAllLines(file);
        var differences = found.Except(agreed).Select(line => "+ " + line.Trim()).Concat(agreed.Except(found).Select(line => "- " + line.Trim())).ToList();
        Assert.True(found.SequenceEqual(agreed), $"""
            The public surface of AdderNet.Core changed:
            {string.Join('\n', differences.Take(20))}
            Make internal what no other assembly and no user needs; for the rest, write the new surface down and look at the difference:
                {Update}=1 dotnet test tests/Core.Tests -c Release --filter PublicSurfaceTest && git diff tests/Core.Tests/PublicSurface.txt
            """);
    }

    [Fact]
    public void The_library_needs_no_network()
    {
        var references = typeof(LocalTrainer).Assembly.GetReferencedAssemblies().Select(name => name.Name!).ToList();
        Assert.NotEmpty(references);
        Assert.DoesNotContain(references, name =>
            name.StartsWith("System.Net", StringComparison.Ordinal) || name.StartsWith("Microsoft.", StringComparison.Ordinal) || name.StartsWith("Grpc", StringComparison.Ordinal));
    }

    private static string Folder([CallerFilePath] string here = "") => Path.GetDirectoryName(here)!;
}
