using AdderNet.Protos.Rpc;
using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Exchange;

/// <summary>What a channel is for.</summary>
internal enum ChannelUse
{
    /// <summary>Gradients and state.</summary>
    Bulk,

    /// <summary>Batch-norm meetings, each a few KB that the step waits for, and signs of life: on connections of their own nothing is ahead of them.</summary>
    Meetings,
}

/// <summary>
/// One channel of a use for each neighbour's address, kept while the neighbour is a member. A neighbour that cannot be reached, or
/// that is silent for a lease though it was asked, has failed: no transport's own time-out is waited for.
/// </summary>
internal sealed class PeerChannels(RpcChannelOptions? options) : IAsyncDisposable
{
    /// <summary>A chunk of a state, with room for what stands around it; pieces are smaller.</summary>
    private const int LargestMessage = 2 << 20;

    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(1);
    private readonly Dictionary<(string Address, ChannelUse Use), RpcChannel> channels = [];
    private int window = ReceiveWindows.MostOfStream;

    /// <summary>The run's lease; channels made before it is known use the default.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(2.5);

    /// <summary>The clock of deadlines.</summary>
    public TimeProvider Time => options?.TimeProvider ?? TimeProvider.System;

    /// <summary>The channel to a member.</summary>
    public RpcChannel To(MemberInfo member, ChannelUse use = ChannelUse.Bulk)
    {
        if (channels.TryGetValue((member.Address, use), out var channel))
            return channel;
        if (!Uri.TryCreate(member.Address, UriKind.Absolute, out var address))
            throw new PeerException(member.WorkerId, $"worker {member.WorkerId} has address '{member.Address}', which is no URL such as http://10.0.0.7:5000");
        var silence = Lease > PingDelay ? Lease : PingDelay;
        var patient = (options ?? new RpcChannelOptions()) with
        {
            ConnectTimeout = silence,
            KeepAlivePingDelay = PingDelay,
            KeepAlivePingTimeout = silence,
            MaxReceiveMessageBytes = LargestMessage,
            StreamWindowBytes = window,
        };
        return channels[(member.Address, use)] = RpcChannel.Create(address, patient);
    }

    /// <summary>Closes channels to those who are no members any more; to all, if there are so many that each must have a smaller window.</summary>
    public async Task KeepAsync(IReadOnlyList<MemberInfo> members)
    {
        var before = window;
        window = ReceiveWindows.OfStream(members.Count - 1);
        var stay = window < before ? [] : members.Select(m => m.Address).ToHashSet();
        foreach (var key in channels.Keys.Where(key => !stay.Contains(key.Address)).ToList())
        {
            channels.Remove(key, out var channel);
            await channel!.DisposeAsync();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await KeepAsync([]);
}
