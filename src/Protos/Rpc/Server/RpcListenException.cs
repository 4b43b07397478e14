namespace AdderNet.Protos.Rpc;

/// <summary>A server cannot listen where it was told to; the message is one line for the person who told it.</summary>
public sealed class RpcListenException(string message, Exception? innerException = null) : Exception(message, innerException);
