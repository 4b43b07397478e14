namespace AdderNet.Cli.DataSets;

/// <summary>A public mirror that serves each file as <c>NAME.gz</c>.</summary>
/// <param name="folder">URL of the folder, with its closing slash.</param>
internal sealed class HttpMirror(Uri folder) : IDataSource
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    public string Description => folder.ToString();

    public async Task BringAsync(IReadOnlyList<IdxFile> files, string directory, CancellationToken cancellation)
    {
        using var handler = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(15) };
        using var client = new HttpClient(handler) { Timeout = Patience };
        foreach (var file in files)
        {
            try
            {
                using var response = await client.GetAsync(
                    new Uri(folder, file.Name + ".gz"), HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
                if (!response.IsSuccessStatusCode)
                    throw new DataSourceException($"{file.Name}.gz: HTTP status {(int)response.StatusCode}");
                await using var body = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
                await GzipFile.ExpandAsync(body, file, Path.Combine(directory, file.Name), cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (e is HttpRequestException or IOException || (e is TaskCanceledException && !cancellation.IsCancellationRequested))
            {
                throw new DataSourceException($"{file.Name}.gz: {e.Message}");
            }
        }
    }
}
