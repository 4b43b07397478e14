using System.IO.Pipelines;
using System.Net;

namespace AdderNet.Protos.Rpc;

/// <summary>A request body of exactly one message.</summary>
internal sealed class SingleMessageContent<T>(IRpcMarshaller<T> marshaller, T message, string method) : HttpContent
{
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        PipeWriter writer = PipeWriter.Create(stream, StreamedContent.WriterOptions);
        int written = await Frame.SendAsync(writer, marshaller, message, cancellationToken).ConfigureAwait(false);
        await writer.CompleteAsync().ConfigureAwait(false);
        RpcTelemetry.Sent("client", method, written);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
