using AdderNet.Protos.Rpc;
using AdderNet.Worker.Membership;

namespace AdderNet.Worker.Exchange;

/// <summary>One channel for each neighbour's address, kept while the neighbour is a member.</summary>
internal sealed class PeerChannels(RpcChannelOptions? options) : IAsyncDisposable
{
    private readonly Dictionary<string, RpcChannel> channels = [];

    /// <summary>The channel to a member.</summary>
    public RpcChannel To(MemberInfo member)
    {
        if (channels.TryGetValue(member.Address, out var channel))
            return channel;
        if (!Uri.TryCreate(member.Address, UriKind.Absolute, out var address))
            throw new PeerException(member.WorkerId, $"worker {member.WorkerId} has address '{member.Address}', which is no URL such as http://10.0.0.7:5000");
        return channels[member.Address] = RpcChannel.Create(address, options);
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
