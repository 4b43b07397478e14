namespace AdderNet.Worker.Exchange;

/// <summary>
/// How many bytes neighbours may send ahead of what this worker has read: memory that others fill. All windows of a worker together stay within a
/// bound, however many neighbours it has.
/// </summary>
internal static class ReceiveWindows
{
    /// <summary>Of all streams of a worker together.</summary>
    public const long MostTogether = 256L << 20;

    /// <summary>Open from one neighbour at once: its sums or its group's, its means, its moments and a sign of life; to one who joins, its means and its state.</summary>
    public const int StreamsOfNeighbour = 4;

    /// <summary>The most that <see cref="System.Net.Http.SocketsHttpHandler"/> allows.</summary>
    public const int MostOfStream = 16 << 20;

    /// <summary>HTTP/2 streams begin with this much.</summary>
    private const int LeastOfStream = 64 << 10;

    /// <summary>The window of one stream in bytes; beyond 1,024 neighbours HTTP/2's own least, and the bound is no longer kept.</summary>
    public static int OfStream(int neighbours) =>
        (int)Math.Clamp(MostTogether / (StreamsOfNeighbour * Math.Max(1L, neighbours)), LeastOfStream, MostOfStream);
}
