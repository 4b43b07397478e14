using System.Security.Cryptography;
using AdderNet.Protos.Rpc;
using AdderNet.Protos.V1;
using AdderNet.Worker.Exchange;
using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Transfer;

/// <summary>Takes a state from one of several members; when one dies, goes on with the next where it stopped.</summary>
/// <param name="channels">To the members.</param>
/// <param name="maxBytes">Largest state that makes sense for this model.</param>
/// <param name="progress">Called for every chunk.</param>
internal sealed class StateDownload(PeerChannels channels, long maxBytes, Action progress)
{
    private byte[] received = [];
    private int length;
    private string sha256 = string.Empty;

    /// <summary>The bytes of the state at a step, verified by their SHA-256.</summary>
    /// <exception cref="PeerException">No source could give it; names what each said.</exception>
    public async Task<byte[]> FetchAsync(
        GenerationView view, IReadOnlyList<MemberInfo> sources, CancellationToken cancellation)
    {
        (received, length, sha256) = ([], 0, string.Empty);
        var troubles = new List<string>();
        foreach (var source in sources)
        {
            try
            {
                await TakeAsync(source, view, cancellation);
                return received;
            }
            catch (Exception e) when (e is RpcException or FormatException or PeerException && !cancellation.IsCancellationRequested)
            {
                troubles.Add($"{source.WorkerId}: {(e as RpcException)?.Detail ?? e.Message}");
            }
        }

        throw new PeerException(sources[^1].WorkerId, $"no source could give the state at step {view.BaseStep}: {string.Join("; ", troubles)}");
    }

    private async Task TakeAsync(MemberInfo source, GenerationView view, CancellationToken cancellation)
    {
        var request = new DownloadRequest
        {
            RunId = view.RunId,
            Generation = (ulong)view.Generation,
            Step = (ulong)view.BaseStep,
            Offset = (ulong)length,
        };
        var first = true;
        await foreach (var chunk in channels.To(source).ServerStreamAsync(StateTransferMethods.Download, request, null, cancellation))
        {
            if (first && !Begin(chunk))
            {
                // This source's file differs from what the last one had begun to send: from the front, then.
                (length, sha256) = (0, string.Empty);
                await TakeAsync(source, view, cancellation);
                return;
            }

            first = false;
            if (chunk.Offset != (ulong)length || chunk.Data.Length > received.Length - length)
                throw new FormatException($"a chunk at offset {chunk.Offset} does not follow {length}");
            chunk.Data.Span.CopyTo(received.AsSpan(length));
            length += chunk.Data.Length;
            progress();
        }

        if (first || length != received.Length)
            throw new FormatException($"the stream ended after {length} of {received.Length} bytes");
        var actual = Convert.ToHexStringLower(SHA256.HashData(received));
        if (actual == sha256)
            return;
        var announced = sha256;
        (length, sha256) = (0, string.Empty);
        throw new FormatException($"the state's SHA-256 is {actual}, announced was {announced}");
    }

    /// <summary>Takes size and hash from a source's first chunk; false when they are not those of the bytes already here.</summary>
    private bool Begin(StateChunk chunk)
    {
        if (chunk.TotalBytes == 0 || chunk.TotalBytes > (ulong)maxBytes)
            throw new FormatException($"a state of {chunk.TotalBytes} bytes was announced; this model's has at most {maxBytes}");
        if (length > 0)
            return chunk.Sha256 == sha256 && chunk.TotalBytes == (ulong)received.Length;
        (received, sha256) = (new byte[chunk.TotalBytes], chunk.Sha256);
        return true;
    }
}
