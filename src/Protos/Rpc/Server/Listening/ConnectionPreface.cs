using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace AdderNet.Protos.Rpc;

/// <summary>Tells HTTP/2 with prior knowledge from HTTP/1.1 by what every HTTP/2 connection must begin with.</summary>
internal static class ConnectionPreface
{
    private static ReadOnlySpan<byte> Http2 => "PRI * HTTP/2.0\r\n"u8;

    /// <summary>Looks at the first bytes without taking them. Null: the connection ended before there was one.</summary>
    public static async ValueTask<HttpProtocols?> RecogniseAsync(PipeReader input, CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadResult read = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
            bool undecided = IsStartOfPreface(read.Buffer, out bool whole) && !whole;
            if (undecided && !read.IsCompleted)
            {
                input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }
            bool empty = read.Buffer.IsEmpty;
            // Nothing counts as looked at: whoever reads next gets the same bytes at once.
            input.AdvanceTo(read.Buffer.Start);
            if (empty)
                return null;
            return whole ? HttpProtocols.Http2 : HttpProtocols.Http1;
        }
    }

    private static bool IsStartOfPreface(ReadOnlySequence<byte> buffer, out bool whole)
    {
        Span<byte> start = stackalloc byte[Http2.Length];
        int length = (int)Math.Min(buffer.Length, start.Length);
        buffer.Slice(0, length).CopyTo(start);
        bool matches = Http2[..length].SequenceEqual(start[..length]);
        whole = matches && length == Http2.Length;
        return matches;
    }
}
