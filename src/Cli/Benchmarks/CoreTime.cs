using System.Buffers.Text;
using Microsoft.Win32.SafeHandles;

namespace AdderNet.Cli.Benchmarks;

/// <summary>
/// A clock that stands still while the calling thread is ready to run but has no core (Linux, schedstat; elsewhere it never
/// does). Timestamps of one thread compare with each other only. Reading it allocates nothing once a thread has read it.
/// </summary>
/// <param name="clock">The time.</param>
internal sealed class CoreTime(TimeProvider clock) : TimeProvider
{
    private const string Statistics = "/proc/thread-self/schedstat";
    private const double Nanosecond = 1e-9;

    [ThreadStatic]
    private static SafeFileHandle? ownStatistics;

    /// <inheritdoc/>
    public override long TimestampFrequency => clock.TimestampFrequency;

    /// <inheritdoc/>
    public override long GetTimestamp() => clock.GetTimestamp() - (long)(Waited() * Nanosecond * clock.TimestampFrequency);

    /// <summary>Nanoseconds that the thread waited since it started: the second figure of the file.</summary>
    private static long Waited()
    {
        if (ownStatistics is null)
        {
            if (!File.Exists(Statistics))
                return 0;
            ownStatistics = File.OpenHandle(Statistics);
        }

        Span<byte> text = stackalloc byte[128];
        var figures = text[..RandomAccess.Read(ownStatistics, text, 0)];
        var second = figures[(figures.IndexOf((byte)' ') + 1)..];
        return Utf8Parser.TryParse(second, out long wait, out _) ? wait : 0;
    }
}
