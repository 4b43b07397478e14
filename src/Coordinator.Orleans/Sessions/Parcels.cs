namespace AdderNet.Coordinator.Silos.Sessions;

/// <summary>What a session tells its run.</summary>
internal enum ParcelKind
{
    /// <summary>A worker came; the content is its Hello.</summary>
    Came,

    /// <summary>It said something; the content is its WorkerMessage.</summary>
    Said,

    /// <summary>Its session is over.</summary>
    Gone,
}

/// <summary>Something from one worker's session to its run, with protobuf inside.</summary>
[GenerateSerializer, Immutable]
internal sealed record Parcel(
    [property: Id(0)] ParcelKind Kind, [property: Id(1)] long Session, [property: Id(2)] string WorkerId, [property: Id(3)] byte[] Content);

/// <summary>One CoordinatorMessage for sessions of one silo, in protobuf.</summary>
[GenerateSerializer, Immutable]
internal sealed record Delivery([property: Id(0)] long[] Sessions, [property: Id(1)] byte[] Message);
