using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;

namespace AdderNet.Protos.Rpc;

/// <summary>What a read gave: a message, or the end of the stream.</summary>
internal readonly record struct ReceivedFrame<T>(bool End, T Message);

/// <summary>
/// Takes length-prefixed messages (one flag byte, a big-endian 32-bit length, the payload) out of a byte stream.
/// A length over the limit is refused on sight of the prefix, before anything of the payload is kept.
/// </summary>
internal sealed class FrameReader<T>(PipeReader input, IRpcMarshaller<T> marshaller, int maxBytes)
{
    private const byte Uncompressed = 0;
    private const byte Compressed = 1;

    /// <exception cref="RpcException">The bytes are no message of this method, too large, compressed or cut off.</exception>
    public async ValueTask<ReceivedFrame<T>> ReadAsync(CancellationToken cancellationToken)
    {
        ReadResult read = await input.ReadAtLeastAsync(Frame.PrefixBytes, cancellationToken).ConfigureAwait(false);
        ThrowIfStopped(read);
        if (read.Buffer.IsEmpty)
        {
            input.AdvanceTo(read.Buffer.End);
            return new ReceivedFrame<T>(End: true, default!);
        }
        if (read.Buffer.Length < Frame.PrefixBytes)
            throw Refuse(read, RpcStatusCode.Internal, $"the stream ended within a message prefix, after {read.Buffer.Length} of {Frame.PrefixBytes} bytes");

        uint length = ParsePrefix(read);
        long whole = Frame.PrefixBytes + (long)length;
        if (read.Buffer.Length < whole)
        {
            input.AdvanceTo(read.Buffer.Start, read.Buffer.Start);
            read = await input.ReadAtLeastAsync((int)Math.Min(whole, int.MaxValue), cancellationToken).ConfigureAwait(false);
            ThrowIfStopped(read);
            if (read.Buffer.Length < whole)
                throw Refuse(read, RpcStatusCode.Internal, $"the stream ended within a message, after {read.Buffer.Length - Frame.PrefixBytes} of {length} bytes");
        }
        return new ReceivedFrame<T>(End: false, Parse(read.Buffer.Slice(Frame.PrefixBytes, length)));
    }

    private uint ParsePrefix(ReadResult read)
    {
        Span<byte> prefix = stackalloc byte[Frame.PrefixBytes];
        read.Buffer.Slice(0, Frame.PrefixBytes).CopyTo(prefix);
        if (prefix[0] == Compressed)
            throw Refuse(read, RpcStatusCode.Unimplemented, "the message is compressed; only the identity encoding is understood here");
        if (prefix[0] != Uncompressed)
            throw Refuse(read, RpcStatusCode.Internal, $"a message starts with flag {prefix[0]}; only 0 and 1 are defined");
        uint length = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        if (length > maxBytes)
            throw Refuse(read, RpcStatusCode.ResourceExhausted, $"a message of {length} bytes is larger than the limit of {maxBytes}");
        return length;
    }

    private T Parse(ReadOnlySequence<byte> payload)
    {
        try
        {
            return marshaller.Read(payload);
        }
        catch (Exception e) when (e is not RpcException)
        {
            throw new RpcException(RpcStatusCode.Internal, $"the bytes received are no {typeof(T).Name}: {e.Message}", innerException: e);
        }
        finally
        {
            input.AdvanceTo(payload.End);
        }
    }

    private void ThrowIfStopped(ReadResult read)
    {
        if (!read.IsCanceled)
            return;
        input.AdvanceTo(read.Buffer.Start);
        throw new OperationCanceledException();
    }

    private RpcException Refuse(ReadResult read, RpcStatusCode code, string detail)
    {
        input.AdvanceTo(read.Buffer.End);
        return new RpcException(code, detail);
    }
}
