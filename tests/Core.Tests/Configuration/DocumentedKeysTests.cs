using System.Runtime.CompilerServices;
using AdderNet.Core.Configuration;
using Xunit;

namespace AdderNet.Core.Tests.Configuration;

public sealed class DocumentedKeysTests
{
    [Fact]
    public void The_documentation_lists_every_key_in_order_with_its_default_and_whether_it_is_part_of_the_identity()
    {
        var defaults = RunDescriptionFile.Parse("model: {name: lenet5}\ndata: {format: idx}", "run.yaml");
        var expected = DescriptionKeys.All.Select(key => (
            $"`{key.Name}`",
            DescriptionKeys.Required.Contains(key.Name) ? "required" : key.Get(defaults) is { } value ? $"`{value}`" : "none",
            key.InIdentity ? "id" : ""));
        var rows = File.ReadLines(Documentation()).Select(line => line.Split('|', StringSplitOptions.TrimEntries)).Where(cells => cells.Length == 7 && cells[1].StartsWith('`'));
        Assert.Equal(expected, rows.Select(cells => (cells[1], cells[2], cells[4])));
    }

    private static string Documentation([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../docs/file-formats.md"));
}
