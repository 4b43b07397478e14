using System.Diagnostics.CodeAnalysis;
using AdderNet.Coordinator.Silos.Storage;
using AdderNet.Coordinator.Tests.Store;
using Orleans.Storage;
using Xunit;

namespace AdderNet.Coordinator.Tests.Silos;

/// <summary>A grain's state is written only over the one that its writer read, so that of two activations one learns of the other.</summary>
[Collection(PostgresCollection.Name)]
public sealed class StoreGrainStorageTests(PostgresServer server)
{
    private const string Name = "run";
    private static readonly GrainId Grain = GrainId.Create("run", "lenet5-mnist-1");

    [Fact]
    public async Task A_state_is_read_as_it_was_written_and_can_be_cleared()
    {
        await using var store = await SiloStore.CreateAsync(server);
        var storage = new StoreGrainStorage(store.Database);
        var state = await ReadAsync(storage);
        Assert.False(state.RecordExists);

        state.State.Members.Add("a");
        await storage.WriteStateAsync(Name, Grain, state);
        state.State.Members.Add("b");
        await storage.WriteStateAsync(Name, Grain, state);
        var read = await ReadAsync(storage);
        Assert.True(read.RecordExists);
        Assert.Equal(["a", "b"], read.State.Members);

        // Of another name, and of another grain, it is another state.
        Assert.False((await ReadAsync(storage, "worker")).RecordExists);
        await storage.ClearStateAsync(Name, Grain, read);
        Assert.False((await ReadAsync(storage)).RecordExists);
    }

    [Fact]
    public async Task Of_two_activations_that_read_one_state_the_second_to_write_is_refused()
    {
        await using var store = await SiloStore.CreateAsync(server);
        var storage = new StoreGrainStorage(store.Database);
        foreach (var members in new[] { "first", "second" })
        {
            var (one, other) = (await ReadAsync(storage), await ReadAsync(storage));
            one.State.Members.Add(members);
            other.State.Members.Add("the other's");
            await storage.WriteStateAsync(Name, Grain, one);
            await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync(Name, Grain, other));
        }

        Assert.Equal(["first", "second"], (await ReadAsync(storage)).State.Members);
    }

    [Fact]
    public async Task A_write_whose_answer_was_lost_is_made_once()
    {
        await using var store = await SiloStore.CreateAsync(server);
        var storage = new StoreGrainStorage(store.Database);
        var state = await ReadAsync(storage);
        foreach (var member in new[] { "a", "b" })
        {
            state.State.Members.Add(member);
            await store.TwiceAsync(async () =>
            {
                await storage.WriteStateAsync(Name, Grain, state);
                return true;
            });
        }

        Assert.Equal("2", state.ETag);
        Assert.Equal(["a", "b"], (await ReadAsync(storage)).State.Members);
    }

    private static async Task<KeptState> ReadAsync(StoreGrainStorage storage, string name = Name)
    {
        var state = new KeptState();
        await storage.ReadStateAsync(name, Grain, state);
        return state;
    }

    private sealed class KeptState : IGrainState<Kept>
    {
        [AllowNull]
        public Kept State { get; set; } = new();

        [AllowNull]
        public string ETag { get; set; } = null!;

        public bool RecordExists { get; set; }
    }

    internal sealed class Kept
    {
        public List<string> Members { get; set; } = [];
    }
}
