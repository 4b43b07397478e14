namespace AdderNet.Core.Configuration;

/// <summary>Reads and writes run descriptions (YAML). All keys, ranges and defaults: docs/file-formats.md.</summary>
public static class RunDescriptionFile
{
    /// <summary>Reads a description from a file.</summary>
    /// <param name="path">The YAML file.</param>
    /// <param name="overrides">Values of <c>--set</c>, each <c>dotted.key=value</c>; the last of equal keys counts.</param>
    /// <exception cref="InvalidDescriptionException">The file cannot be read, or a key or value is wrong.</exception>
    public static RunDescription Load(string path, IEnumerable<string>? overrides = null)
    {
        try
        {
            return Parse(ReadBounded(path), path, overrides);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw InvalidDescriptionException.OfFile(
                path, WhyUnreadable(path, e), e);
        }
    }

    /// <summary>Reads a description from text, fills in defaults and checks it as a whole.</summary>
    /// <param name="text">YAML.</param>
    /// <param name="source">Names the text in errors.</param>
    /// <param name="overrides">Values of <c>--set</c>, each <c>dotted.key=value</c>; the last of equal keys counts.</param>
    /// <exception cref="InvalidDescriptionException">A key or value is wrong.</exception>
    public static RunDescription Parse(string text, string source, IEnumerable<string>? overrides = null)
    {
        var given = DescriptionYaml.Read(text, source).Concat((overrides ?? []).Select(ReadOverride)).ToList();
        var description = new RunDescription { Model = new ModelOptions { Name = default }, Data = new DataOptions { Format = default } };
        foreach (var setting in given)
            description = Apply(description, setting);
        foreach (var required in DescriptionKeys.Required)
        {
            if (!given.Exists(setting => setting.Key == required))
                throw InvalidDescriptionException.OfKey(source, required, null, "is missing and has no default", $"{required}: {DescriptionKeys.Find(required)!.Example}");
        }

        DescriptionChecks.Check(description, source);
        return description;
    }

    /// <summary>Canonical YAML with every key that is set; <see cref="Parse"/> gives an equal description.</summary>
    public static string Write(RunDescription description) => DescriptionYaml.Write(description);

    /// <summary>Refuses a description whose data lies nowhere: no <c>data.path</c>, no <c>--data</c>, not synthetic.</summary>
    /// <param name="description">The run.</param>
    /// <param name="dataOption">Value of <c>--data</c>, or null.</param>
    /// <param name="source">Names the description in errors.</param>
    /// <exception cref="InvalidDescriptionException">There is no place to read from.</exception>
    public static void RequireDataPath(RunDescription description, string? dataOption, string source)
    {
        if (description.Data.Format != DataFormat.Synthetic && string.IsNullOrEmpty(dataOption) && description.Data.Path is null)
            throw InvalidDescriptionException.OfKey(source, "data.path", null, $"is missing, but data.format: {Spelling.Of(description.Data.Format)} reads files; give --data DIR", "data.path: datasets/mnist");
    }

    // No more than is needed to see that it is too much: a device file has no end.
    private static string ReadBounded(string path)
    {
        using var reader = new StreamReader(path);
        var text = new char[DescriptionYaml.LongestText + 1];
        return new string(text, 0, reader.ReadBlock(text));
    }

    private static string WhyUnreadable(string path, Exception failure) => failure switch
    {
        _ when Directory.Exists(path) => "is a directory, not a run description; for example configs/mnist-lenet5.yaml",
        FileNotFoundException or DirectoryNotFoundException => "no such run description; for example configs/mnist-lenet5.yaml",
        _ => $"cannot be read: {failure.Message}",
    };

    private static RunDescription Apply(RunDescription description, KeyText setting)
    {
        var key = DescriptionKeys.Find(setting.Key) ?? throw DescriptionYaml.UnknownKey(setting.Where, setting.Key);
        return key.Set(description, setting.Value ?? "")
            ?? throw InvalidDescriptionException.OfKey(setting.Where, key.Name, setting.Value ?? "", key.Expected, $"{key.Name}: {key.Example}");
    }

    private static KeyText ReadOverride(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0
            ? new KeyText($"--set {InvalidDescriptionException.OneLine(text)}", text[..equals].Trim(), text[(equals + 1)..].Trim())
            : throw InvalidDescriptionException.OfFile("--set", $"'{text}' is not key=value; for example --set schedule.epochs=20");
    }
}
