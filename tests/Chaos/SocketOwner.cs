using System.Globalization;

namespace AdderNet.Chaos;

/// <summary>Finds out whose end of a local connection a port is.</summary>
internal static class SocketOwner
{
    /// <summary>Whether a process has a TCP socket open whose own port this is.</summary>
    public static bool Has(int process, int port)
    {
        try
        {
            var inodes = new[] { "tcp", "tcp6" }
                .SelectMany(table => File.ReadLines($"/proc/{process}/net/{table}").Skip(1))
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(columns => int.Parse(columns[1].AsSpan(columns[1].LastIndexOf(':') + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture) == port)
                .Select(columns => $"socket:[{columns[9]}]").ToHashSet();
            return Directory.EnumerateFiles($"/proc/{process}/fd").Any(file => new FileInfo(file).LinkTarget is { } target && inodes.Contains(target));
        }
        catch (IOException)
        {
            return false; // the process is gone
        }
    }
}
