using AdderNet.Protos.Rpc;
using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Exchange;

/// <summary>
/// One channel for each neighbour's address, kept while the neighbour is a member. A neighbour that cannot be reached, or
/// that is silent for a lease though it was asked, has failed: no transport's own time-out is waited for.
/// </summary>
internal sealed class PeerChannels(RpcChannelOptions? options) : IAsyncDisposable
{
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(1);
    private readonly Dictionary<string, RpcChannel> channels = [];

    /// <summary>The run's lease; channels made before it is known use the default.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(2.5);

    /// <summary>The channel to a member.</summary>
    public RpcChannel To(MemberInfo member)
    {
        if (channels.TryGetValue(member.Address, out var channel))
            return channel;
        if (!Uri.TryCreate(member.Address, UriKind.Absolute, out var address))
            throw new PeerException(member.WorkerId, $"worker {member.WorkerId} has address '{member.Address}', which is no URL such as http://10.0.0.7:5000");
        var silence = Lease > PingDelay ? Lease : PingDelay;
        var patient = (options ?? new RpcChannelOptions()) with { ConnectTimeout = silence, KeepAlivePingDelay = PingDelay, KeepAlivePingTimeout = silence };
        return channels[member.Address] = RpcChannel.Create(address, patient);
    }

    /// <summary>Closes channels to those who are no members any more.</summary>
    public async Task KeepAsync(IReadOnlyList<MemberInfo> members)
    {
        foreach (var address in channels.Keys.Except(members.Select(m => m.Address)).ToList())
        {
            channels.Remove(address, out var channel);
            await channel!.DisposeAsync();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await KeepAsync([]);
}
