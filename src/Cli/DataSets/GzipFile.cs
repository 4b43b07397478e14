using System.Buffers;
using System.IO.Compression;

namespace AdderNet.Cli.DataSets;

/// <summary>Expands a gzip stream into a file, stopping at the length that the file may have.</summary>
internal static class GzipFile
{
    /// <exception cref="DataSourceException">The stream is not gzip, is damaged, or holds more than the file's length.</exception>
    public static async Task ExpandAsync(Stream compressed, IdxFile file, string path, CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
        try
        {
            await using var plain = new GZipStream(compressed, CompressionMode.Decompress);
            await using var output = File.Create(path);
            long written = 0;
            int read;
            while ((read = await plain.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0)
            {
                written += read;
                if (written > file.Bytes)
                    throw new DataSourceException($"{file.Name}.gz holds more than the {file.Bytes} bytes it should");
                await output.WriteAsync(buffer.AsMemory(0, read), cancellation).ConfigureAwait(false);
            }
        }
        catch (InvalidDataException e)
        {
            throw new DataSourceException($"{file.Name}.gz is damaged: {e.Message}");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
