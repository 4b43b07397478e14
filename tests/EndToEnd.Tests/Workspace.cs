namespace AdderNet.EndToEnd.Tests;

/// <summary>A folder of its own for one test, removed at its end.</summary>
internal sealed class Workspace : IDisposable
{
    public Workspace() => Root = Directory.CreateTempSubdirectory("addernet-e2e-").FullName;

    public string Root { get; }

    public string Folder(string name) => Path.Combine(Root, name);

    /// <summary>Writes a LeNet-5 run description of a few steps and gives its path.</summary>
    public string Config(string name, string data, int steps = 50, int batch = 32, int shards = 8, int epochs = 2)
    {
        var path = Path.Combine(Root, name + ".yaml");
        File.WriteAllText(path, $$"""
            model: {name: lenet5}
            data: {format: idx, path: {{data}}}
            batch: {global: {{batch}}, shards: {{shards}}}
            optimizer: {learning_rate: 0.1, nesterov: true, weight_decay: 5.0e-4}
            schedule: {epochs: {{epochs}}, max_steps: {{steps}}}
            checkpoint: {every_steps: 20}
            seed: 7
            """);
        return path;
    }

    public void Dispose()
    {
        try
        {
            Directory.Delete(Root, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
        }
    }
}
