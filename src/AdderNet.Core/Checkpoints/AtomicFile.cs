using System.Security.Cryptography;

namespace AdderNet.Core.Checkpoints;

/// <summary>A file that was written whole.</summary>
/// <param name="Path">Where it lies.</param>
/// <param name="Sha256">Lower-case hex SHA-256 of its bytes.</param>
/// <param name="Bytes">Its length.</param>
public sealed record SavedFile(string Path, string Sha256, long Bytes);

/// <summary>
/// Writes files so that a reader sees either the old one or the whole new one: a temporary name that carries the
/// writer's id, flushed to disk, then renamed.
/// </summary>
public static class AtomicFile
{
    /// <summary>Writes <paramref name="path"/>, making its directory if needed.</summary>
    /// <param name="path">The final name.</param>
    /// <param name="writer">Id of the worker that writes, part of the temporary name.</param>
    /// <param name="write">Writes the content, front to back.</param>
    /// <exception cref="IOException">Nothing was written (a full disk, no permission): what <paramref name="path"/> held is untouched and no temporary file is left.</exception>
    public static SavedFile Write(string path, string writer, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(writer);
        var directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(directory);
        var temporary = Path.Combine(directory, $".{Path.GetFileName(path)}.{writer}.tmp");
        try
        {
            var saved = WriteTemporary(temporary, path, write);
            File.Move(temporary, path, overwrite: true);
            RemoveLeftovers(directory, Path.GetFileName(path));
            return saved;
        }
        catch
        {
            TryDelete(temporary);
            throw;
        }
    }

    /// <summary>SHA-256 of a file, lower-case hex.</summary>
    public static string Sha256(string path)
    {
        using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    private static SavedFile WriteTemporary(string temporary, string path, Action<Stream> write)
    {
        using var hash = SHA256.Create();
        using var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        using (var hashed = new CryptoStream(file, hash, CryptoStreamMode.Write, leaveOpen: true))
            write(hashed);
        file.Flush(flushToDisk: true);
        return new SavedFile(path, Convert.ToHexStringLower(hash.Hash!), file.Length);
    }

    /// <summary>Temporary files of writers that were killed before they could rename theirs.</summary>
    private static void RemoveLeftovers(string directory, string name)
    {
        foreach (var leftover in Directory.EnumerateFiles(directory, $".{name}.*.tmp"))
            TryDelete(leftover);
    }

    private static void TryDelete(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Any earlier fault is the one worth reporting; the next writer of the file tries again.
        }
    }
}
