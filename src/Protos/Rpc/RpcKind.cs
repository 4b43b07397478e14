namespace AdderNet.Protos.Rpc;

/// <summary>How many messages each side of a call sends.</summary>
public enum RpcKind
{
    /// <summary>One request, one response.</summary>
    Unary = 0,

    /// <summary>Any number of requests, one response.</summary>
    ClientStreaming = 1,

    /// <summary>One request, any number of responses.</summary>
    ServerStreaming = 2,

    /// <summary>Any number of each, in any order.</summary>
    Duplex = 3,
}
