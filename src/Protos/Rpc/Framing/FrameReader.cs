using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace AdderNet.Protos.Rpc;

/// <summary>What a read gave: a message, or the end of the stream.</summary>
internal readonly record struct ReceivedFrame<T>(bool End, T Message);

/// <summary>
/// Takes length-prefixed messages (one flag byte, a big-endian 32-bit length, the payload) out of a byte stream.
/// A length over the limit is refused on sight of the prefix; memory for the rest is taken as its bytes come, not as its length promises.
/// </summary>
/// <remarks>
/// What a read waits in is pooled, since a gradient is many reads: the tasks are awaited once. To be disposed only when no read is in progress; else its buffer is left to the garbage collector.
/// </remarks>
internal sealed class FrameReader<T>(Stream input, IRpcMarshaller<T> marshaller, int maxBytes) : IDisposable
{
    private const byte Uncompressed = 0;
    private const byte Compressed = 1;

    /// <summary>Read ahead of where a large payload goes by itself: enough for what stands before it, little to copy twice.</summary>
    private const int HeadBytes = 512;

    private const int SmallBytes = 4096;
    private const int LargeBytes = 64 * 1024;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(SmallBytes);
    private int _start;
    private int _end;

    private int Buffered => _end - _start;

    /// <exception cref="RpcException">The bytes are no message of this method, too large, compressed or cut off.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ReceivedFrame<T>> ReadAsync(CancellationToken cancellationToken)
    {
        var intake = marshaller as IRpcIntake<T>;
        int ahead = intake is null ? SmallBytes : HeadBytes;
        if (!await FillAsync(Frame.PrefixBytes, ahead, cancellationToken).ConfigureAwait(false))
        {
            return Buffered == 0
                ? new ReceivedFrame<T>(End: true, default!)
                : throw new RpcException(RpcStatusCode.Internal, $"the stream ended within a message prefix, after {Buffered} of {Frame.PrefixBytes} bytes");
        }
        int length = ParsePrefix(_buffer.AsSpan(_start, Frame.PrefixBytes));
        _start += Frame.PrefixBytes;

        if (intake is not null)
        {
            int head = Math.Min(length, HeadBytes - Frame.PrefixBytes);
            if (!await FillAsync(head, head, cancellationToken).ConfigureAwait(false))
                throw CutOff(Buffered, length);
            var start = new ReadOnlySequence<byte>(_buffer, _start, Math.Min(length, Buffered));
            if (Guarded(static s => s.intake.Begin(s.start, s.length), (intake, start, length)) is { } before)
            {
                _start += before;
                await ReceiveAsync(intake, length - before, length, cancellationToken).ConfigureAwait(false);
                return new ReceivedFrame<T>(End: false, Guarded(static i => i.End(), intake));
            }
        }

        if (!await FillAsync(length, intake is null ? SmallBytes : length, cancellationToken).ConfigureAwait(false))
            throw CutOff(Buffered, length);
        var message = new ReadOnlySequence<byte>(_buffer, _start, length);
        T read = Guarded(static s => s.marshaller.Read(s.message), (marshaller, message));
        _start += length;
        return new ReceivedFrame<T>(End: false, read);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        byte[] buffer = Interlocked.Exchange(ref _buffer, []);
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
        _start = _end = 0;
    }

    private int ParsePrefix(ReadOnlySpan<byte> prefix)
    {
        if (prefix[0] == Compressed)
            throw new RpcException(RpcStatusCode.Unimplemented, "the message is compressed; only the identity encoding is understood here");
        if (prefix[0] != Uncompressed)
            throw new RpcException(RpcStatusCode.Internal, $"a message starts with flag {prefix[0]}; only 0 and 1 are defined");
        uint length = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        return length <= maxBytes
            ? (int)length
            : throw new RpcException(RpcStatusCode.ResourceExhausted, $"a message of {length} bytes is larger than the limit of {maxBytes}");
    }

    /// <summary>Puts the rest of a message where it goes, place after place: first what was read ahead, then the stream itself.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReceiveAsync(IRpcIntake<T> intake, int left, int length, CancellationToken cancellationToken)
    {
        while (left > 0)
        {
            Memory<byte> place = Guarded(static s => s.intake.Place(s.left), (intake, left));
            int got = Math.Min(Buffered, place.Length);
            _buffer.AsSpan(_start, got).CopyTo(place.Span);
            _start += got;
            while (got < place.Length)
            {
                int read = await input.ReadAsync(place[got..], cancellationToken).ConfigureAwait(false);
                if (read == 0)
                    throw CutOff(length - left + got, length);
                got += read;
            }
            left -= place.Length;
            Guarded(
                static i =>
                {
                    i.Placed();
                    return true;
                },
                intake);
        }
    }

    /// <summary>Reads until the buffer holds <paramref name="count"/> bytes, and not beyond <paramref name="ahead"/>; false: the stream ends before.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> FillAsync(int count, int ahead, CancellationToken cancellationToken)
    {
        while (Buffered < count)
        {
            MakeRoom(Math.Max(count, ahead));
            int most = Math.Min(_buffer.Length - _end, Math.Max(count, ahead) - Buffered);
            int read = await input.ReadAsync(_buffer.AsMemory(_end, most), cancellationToken).ConfigureAwait(false);
            if (read == 0)
                return false;
            _end += read;
        }
        return true;
    }

    /// <summary>Sees to room behind the buffered bytes: moves them to the front, or takes a larger buffer, though not yet for all that is to come.</summary>
    private void MakeRoom(int wanted)
    {
        if (_buffer.Length - _start >= wanted || _end < _buffer.Length)
            return;
        byte[] target = Buffered <= _buffer.Length / 2
            ? _buffer
            : ArrayPool<byte>.Shared.Rent(Math.Min(wanted, Math.Max(LargeBytes, _buffer.Length * 4)));
        Buffer.BlockCopy(_buffer, _start, target, 0, Buffered);
        if (target != _buffer)
            ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, _start, _end) = (target, 0, Buffered);
    }

    private static RpcException CutOff(int got, int length)
        => new(RpcStatusCode.Internal, $"the stream ended within a message, after {got} of {length} bytes");

    private static TResult Guarded<TState, TResult>(Func<TState, TResult> read, TState state)
    {
        try
        {
            return read(state);
        }
        catch (Exception e) when (e is not RpcException)
        {
            throw new RpcException(RpcStatusCode.Internal, $"the bytes received are no {typeof(T).Name}: {e.Message}", innerException: e);
        }
    }
}
