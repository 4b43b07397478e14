// A coordinator process that can be let die at any place between two statements of its store.
//   STORE URL LEASE_MS active|standby|silo POINTS_FILE [POINT]
// Every place that it comes by is written to POINTS_FILE once; at POINT it kills itself as kill -9 would.
// It ends when its standard input does: 0 when asked to, 1 after one line when it cannot go on.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using AdderNet.Coordinator;
using AdderNet.Coordinator.Processes;
using AdderNet.Coordinator.Store;
using AdderNet.Protos.Rpc;

var deadly = args.ElementAtOrDefault(5);
var seen = new ConcurrentDictionary<StorePoint, bool>();
var writing = new Lock();

void Pass(StorePoint point)
{
    if (point.ToString() == deadly)
        Process.GetCurrentProcess().Kill();
    if (!seen.TryAdd(point, true))
        return;
    lock (writing)
        File.AppendAllText(args[4], point + "\n");
}

using var ended = new CancellationTokenSource();
new Thread(() =>
{
    Console.In.ReadToEnd();
    ended.Cancel();
})
{
    IsBackground = true,
}.Start();
try
{
    await using var host = await Hosts.StartAsync(
        args[3],
        new CoordinatorOptions
        {
            Store = args[0],
            Listen = new Uri(args[1]),
            StoreLease = TimeSpan.FromMilliseconds(int.Parse(args[2], CultureInfo.InvariantCulture)),
            Standby = args[3] == "standby",
            StoreWatch = Pass,
        },
        ended.Token);
    Console.WriteLine($"listens on {host.Address}");
    var asked = new TaskCompletionSource();
    await using var onEnd = ended.Token.Register(() => asked.TrySetResult());
    await await Task.WhenAny(asked.Task, host.Completion);
    return 0;
}
catch (Exception e) when (e is StoreException or RpcListenException)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
