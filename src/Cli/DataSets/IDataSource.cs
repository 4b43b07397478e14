namespace AdderNet.Cli.DataSets;

/// <summary>A place that the files of a data set can be had from. What it brings is verified by the caller.</summary>
internal interface IDataSource
{
    /// <summary>What it is, in words, for messages.</summary>
    string Description { get; }

    /// <summary>Brings the named files, uncompressed, into <paramref name="directory"/>, which is empty and the caller's to delete.</summary>
    /// <exception cref="DataSourceException">They cannot be had from here.</exception>
    Task BringAsync(IReadOnlyList<IdxFile> files, string directory, CancellationToken cancellation);
}

/// <summary>A source cannot give its files, for the reason in the message.</summary>
internal sealed class DataSourceException(string message) : Exception(message);
