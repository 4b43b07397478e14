namespace AdderNet.Protos.Rpc;

/// <summary>A service that a server offers: it names its methods and what answers them.</summary>
public interface IRpcService
{
    /// <summary>Binds a handler to each method. Called once, when the server starts.</summary>
    void Bind(RpcServiceBinder binder);
}
