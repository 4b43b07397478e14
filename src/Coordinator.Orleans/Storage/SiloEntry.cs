using System.Text.Json;

namespace AdderNet.Coordinator.Silos.Storage;

/// <summary>A silo as the table of silos holds it.</summary>
internal sealed record SiloEntry(
    string Address, string Status, SiloEntry.Suspicion[] Suspicions, int ProxyPort, string HostName, string SiloName,
    string RoleName, int UpdateZone, int FaultZone, DateTime Started)
{
    /// <summary>A silo that took this one for dead, and when.</summary>
    internal sealed record Suspicion(string By, DateTime At);

    public static string Write(MembershipEntry entry) => JsonSerializer.Serialize(new SiloEntry(
        entry.SiloAddress.ToParsableString(), entry.Status.ToString(),
        [.. (entry.SuspectTimes ?? []).Select(s => new Suspicion(s.Item1.ToParsableString(), s.Item2))],
        entry.ProxyPort, entry.HostName ?? "", entry.SiloName ?? "", entry.RoleName ?? "", entry.UpdateZone, entry.FaultZone, entry.StartTime));

    public static MembershipEntry Read(string json, long aliveMs)
    {
        var entry = JsonSerializer.Deserialize<SiloEntry>(json)!;
        return new MembershipEntry
        {
            SiloAddress = SiloAddress.FromParsableString(entry.Address),
            Status = Enum.Parse<SiloStatus>(entry.Status),
            SuspectTimes = [.. entry.Suspicions.Select(s => Tuple.Create(SiloAddress.FromParsableString(s.By), s.At))],
            ProxyPort = entry.ProxyPort,
            HostName = entry.HostName,
            SiloName = entry.SiloName,
            RoleName = entry.RoleName,
            UpdateZone = entry.UpdateZone,
            FaultZone = entry.FaultZone,
            StartTime = entry.Started,
            IAmAliveTime = DateTimeOffset.FromUnixTimeMilliseconds(aliveMs).UtcDateTime,
        };
    }

    /// <summary>Milliseconds since 1970.</summary>
    public static long AliveMs(MembershipEntry entry) => new DateTimeOffset(DateTime.SpecifyKind(entry.IAmAliveTime, DateTimeKind.Utc)).ToUnixTimeMilliseconds();
}
