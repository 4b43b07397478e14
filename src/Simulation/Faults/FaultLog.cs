namespace AdderNet.Simulation.Faults;

/// <summary>How often each fault struck, and what the run was doing when it did.</summary>
internal sealed class FaultLog
{
    private readonly SortedDictionary<(FaultKind Kind, string Phase), long> struck = [];

    public IReadOnlyDictionary<(FaultKind Kind, string Phase), long> Struck => struck;

    public long Of(FaultKind kind) => struck.Where(s => s.Key.Kind == kind).Sum(s => s.Value);

    public void Count(FaultKind kind, string phase) => struck[(kind, phase)] = struck.GetValueOrDefault((kind, phase)) + 1;

    public void Add(FaultLog other)
    {
        foreach (var ((kind, phase), times) in other.struck)
            struck[(kind, phase)] = struck.GetValueOrDefault((kind, phase)) + times;
    }
}
