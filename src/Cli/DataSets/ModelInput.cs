using AdderNet.Core.Configuration;
using AdderNet.Core.Data;

namespace AdderNet.Cli.DataSets;

/// <summary>What a description's model reads, for commands that need no data.</summary>
internal static class ModelInput
{
    /// <summary>Shape of one sample: the files say it best; without them, what the format means.</summary>
    public static InputShape Of(DataOptions data)
    {
        if (data.Format == DataFormat.Idx && data.Path is { } path && Directory.Exists(path))
            return DataSource.Open(data, null).Input;

        return data.Format switch
        {
            DataFormat.Idx => new InputShape(28, 28, 1),
            DataFormat.Cifar => new InputShape(32, 32, 3),
            _ => new InputShape(data.ImageSize, data.ImageSize, 3),
        };
    }
}
