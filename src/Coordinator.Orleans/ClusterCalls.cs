using AdderNet.Protos.Rpc;

namespace AdderNet.Coordinator.Silos;

/// <summary>Calls of grains on behalf of a person or a worker.</summary>
internal static class ClusterCalls
{
    /// <summary>While a silo that died is not given up yet its grains are not reached: that passes, and is said so that callers try again.</summary>
    /// <exception cref="RpcException">The grain is not reached now.</exception>
    public static async Task<T> Answered<T>(this Task<T> call)
    {
        try
        {
            return await call.ConfigureAwait(false);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            throw new RpcException(RpcStatusCode.Unavailable, $"a silo of this cluster is not reached, try again: {e.Message.ReplaceLineEndings(" ")}");
        }
    }

    /// <inheritdoc cref="Answered{T}"/>
    public static Task Answered(this Task call) => call.ContinueWith(
        static done => { done.GetAwaiter().GetResult(); return true; }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).Answered();
}
