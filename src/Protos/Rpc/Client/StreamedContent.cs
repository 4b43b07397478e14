using System.IO.Pipelines;
using System.Net;

namespace AdderNet.Protos.Rpc;

/// <summary>A request body that stays open: messages are written to <see cref="Writer"/> until <see cref="Complete"/>.</summary>
internal sealed class StreamedContent : HttpContent
{
    /// <summary>Buffers large enough that a message of megabytes goes out in few writes.</summary>
    public static readonly StreamPipeWriterOptions WriterOptions = new(minimumBufferSize: 32 * 1024, leaveOpen: true);

    private readonly TaskCompletionSource<PipeWriter> _writer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The open body; fails when the request could not be sent.</summary>
    public Task<PipeWriter> Writer => _writer.Task;

    /// <summary>No more messages: ends the body.</summary>
    public void Complete() => _completed.TrySetResult();

    /// <summary>The request failed: nobody may go on waiting for the body.</summary>
    public void Fail(Exception failure)
    {
        if (_writer.TrySetException(failure))
            _ = _writer.Task.Exception; // observed: there may be no writer
        _completed.TrySetCanceled();
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (_writer.Task.IsCompleted)
            throw new InvalidOperationException("a streamed request cannot be sent a second time");
        // Sends the request's headers now rather than with the first message.
        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        PipeWriter writer = PipeWriter.Create(stream, WriterOptions);
        _writer.TrySetResult(writer);
        await _completed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        await writer.CompleteAsync().ConfigureAwait(false);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
