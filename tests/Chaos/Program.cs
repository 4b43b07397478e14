using System.Globalization;
using AdderNet.Chaos;

string[] known = ["kill-worker", "kill-coordinator", "stop-worker", "cut-link", "cut-pair", "add-worker", "memory", "calm"];
var number = 0;
if (args.Length is 0 or > 2 || !known.Contains(args[0]) || (args.Length == 2 && (!int.TryParse(args[1], NumberStyles.None, CultureInfo.InvariantCulture, out number) || number == 0)))
{
    Console.Error.WriteLine($"chaos: '{string.Join(' ', args)}' is not known; valid: tests/Chaos/run {string.Join('|', known)} [events|steps|minutes], such as tests/Chaos/run kill-worker 20");
    return 2;
}

try
{
    await (args[0] switch
    {
        "memory" => MemoryWatch.RunAsync(number > 0 ? number : 10_000, 100, Console.Out),
        "calm" => CalmWatch.RunAsync(TimeSpan.FromMinutes(number > 0 ? number : 60), Console.Out),
        var kind => Measurement.RunAsync(
            kind switch
            {
                "kill-worker" => Event.KillWorker,
                "kill-coordinator" => Event.KillCoordinator,
                "stop-worker" => Event.StopWorker,
                "cut-link" => Event.CutLink,
                "cut-pair" => Event.CutPair,
                _ => Event.AddWorker,
            },
            number > 0 ? number : 20, Console.Out),
    });
    return 0;
}
catch (ChaosException e)
{
    Console.Error.WriteLine($"chaos: {e.Message}");
    return 1;
}
