namespace AdderNet.Protos.Rpc;

/// <summary>
/// The buffers in which <see cref="System.Net.Http.SocketsHttpHandler"/> keeps what has arrived and was not read yet: 16 KiB each, from the
/// process's shared pool. The pool keeps 32 of each size a core and lets the garbage collector have the rest, so that a reader which is a window behind
/// has nearly everything it receives allocated anew: 67 MB for a gradient of 102 MB.
/// </summary>
public static class TransportBuffers
{
    private const string FixedWindows = "System.Net.SocketsHttpHandler.Http2FlowControl.DisableDynamicWindowSizing";

    /// <summary>.NET offers no other way to say it; read once, when the process first takes a buffer from the pool.</summary>
    private const string Variable = "DOTNET_SYSTEM_BUFFERS_SHAREDARRAYPOOL_MAXARRAYSPERPARTITION";

    /// <summary>Of 16 KiB: 256 MiB, the most that all receive windows of a worker may hold.</summary>
    private const string Most = "16384";

    /// <summary>
    /// Lets the pool keep as many buffers as were ever in use at once, and receive windows stay as they are set instead of growing to 16 MiB each with the
    /// delay that is measured. To be called first of all in a process that exchanges gradients; what the user set of the pool stays. Buffers that rest are
    /// still given back to the system, by the pool's own rules.
    /// </summary>
    public static void KeepForReuse()
    {
        AppContext.SetSwitch(FixedWindows, true);
        if (Environment.GetEnvironmentVariable(Variable) is null)
            Environment.SetEnvironmentVariable(Variable, Most);
    }
}
