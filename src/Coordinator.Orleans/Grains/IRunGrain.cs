using AdderNet.Coordinator.RunLogic;
using AdderNet.Coordinator.Silos.Sessions;

namespace AdderNet.Coordinator.Silos.Grains;

/// <summary>One run, by its id: drives it wherever it is activated, under the run's lease in the store.</summary>
internal interface IRunGrain : IGrainWithStringKey
{
    /// <summary>The run's RunStatus in protobuf; null: it is over, and nobody drives it.</summary>
    Task<byte[]?> ViewAsync();

    /// <summary>Whether the run is driven, and not over; a run that is under way is taken up by this.</summary>
    Task<bool> AttendAsync();

    /// <summary>Drives the run from here on, if it does not already.</summary>
    /// <param name="underWay">It was being driven when its silo ended: its members may come back.</param>
    Task TakeUpAsync(bool underWay);

    /// <summary>Asks for something, and waits until the run has decided.</summary>
    Task ControlAsync(ControlKind kind);

    /// <summary>Waits until the run has dealt with all that has come to it.</summary>
    Task SettleAsync();

    /// <summary>Drives the run no longer, until it is taken up again or nobody has done so for a while.</summary>
    Task DropAsync();

    /// <summary>Takes what sessions of one silo say.</summary>
    /// <returns>Sessions that the run does not know: they are to be ended, so that their workers come again.</returns>
    Task<long[]> ReceiveAsync(ISiloDoor from, Parcel[] parcels);

    /// <summary>Keeps places in the run for workers that are about to come.</summary>
    /// <returns>How many of them it wants.</returns>
    Task<int> ReserveAsync(int workers);
}

/// <summary>What is kept of a run's grain beside what its store holds.</summary>
[GenerateSerializer]
internal sealed class RunGrainState
{
    /// <summary>The newest generation that was announced from here.</summary>
    [Id(0)]
    public long Generation { get; set; }

    /// <summary>Its members: when the run is taken up elsewhere, their sessions are asked to come again.</summary>
    [Id(1)]
    public List<string> Members { get; set; } = [];
}
