using System.IO.Compression;
using System.Xml.Linq;
using Xunit;

namespace AdderNet.Samples.Tests;

public sealed class PackageTests
{
    [Fact]
    public void The_package_has_a_readme_and_documentation_and_needs_nothing_but_a_YAML_reader()
    {
        var file = Assert.Single(Directory.GetFiles(Path.Combine(SampleProcess.Root, "artifacts/packages"), "AdderNet.Core.*.nupkg"));
        using var package = ZipFile.OpenRead(file);
        var entries = package.Entries.Select(entry => entry.FullName).ToList();
        Assert.Contains("README.md", entries);
        Assert.Equal(["lib/net10.0/AdderNet.Core.dll", "lib/net10.0/AdderNet.Core.xml"], entries.Where(e => e.StartsWith("lib/", StringComparison.Ordinal)).Order());

        using var stream = package.GetEntry("AdderNet.Core.nuspec")!.Open();
        var specification = XDocument.Load(stream);
        Assert.Equal("README.md", specification.Descendants().Single(e => e.Name.LocalName == "readme").Value);
        Assert.Equal(["YamlDotNet"], specification.Descendants().Where(e => e.Name.LocalName == "dependency").Select(e => e.Attribute("id")!.Value));
    }
}
