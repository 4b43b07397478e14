using AdderNet.Simulation.Processes;
using AdderNet.Simulation.Time;

namespace AdderNet.Simulation.Network;

/// <summary>
/// One connection between two processes, as a transport gives it: in order both ways while it lasts, and when it breaks
/// what was under way is lost, or still read by an end that has not heard of it: each learns of it in its own time.
/// </summary>
internal sealed class Connection
{
    private readonly SimulatedNetwork network;
    private readonly Timeline time;
    private readonly End client;
    private readonly End server;
    private bool outlived;

    public Connection(SimulatedNetwork network, Timeline time, SimulatedProcess client, SimulatedProcess server)
    {
        (this.network, this.time) = (network, time);
        this.client = new End(client);
        this.server = new End(server);
        client.Connections.Add(this);
        server.Connections.Add(this);
    }

    public bool IsBroken { get; private set; }

    /// <summary>Whether it needs the link from one machine to another.</summary>
    public bool Joins(string from, string to) =>
        (client.Process.Machine == from && server.Process.Machine == to) || (client.Process.Machine == to && server.Process.Machine == from);

    /// <summary>Whether a process accepted it.</summary>
    public bool IsServedBy(SimulatedProcess process) => server.Process == process;

    /// <summary>Says what an end does when it learns that the connection is gone.</summary>
    public void OnBroken(SimulatedProcess at, Action broken) => Of(at).Broken = broken;

    /// <summary>Sends from one end; <paramref name="receive"/> happens at the other unless the connection breaks first.</summary>
    /// <param name="from">The sender.</param>
    /// <param name="receive">What happens at the other end.</param>
    /// <param name="late">Above zero: it is under way for so much longer, and others overtake it.</param>
    public void Send(SimulatedProcess from, Action receive, TimeSpan late = default)
    {
        if (IsBroken)
            return;
        var (sender, receiver) = from == client.Process ? (client, server) : (server, client);
        var fate = network.NextFate();
        if (fate == Fate.Lost)
        {
            // A transport cannot leave a gap: what it fails to deliver ends the connection.
            time.In(network.Delay(), () => Break());
            return;
        }

        var moment = time.Now + network.Delay();
        if (late > TimeSpan.Zero || fate == Fate.Overtaken)
            moment += late > TimeSpan.Zero ? late : network.Lateness();
        else
            sender.LastArrival = moment = moment > sender.LastArrival ? moment : sender.LastArrival;
        Plan(sender, receiver, moment, receive);
        if (fate == Fate.Twice)
            Plan(sender, receiver, moment + network.Delay(), receive);
    }

    /// <summary>Ends the connection; both ends learn of it, unless their machine vanished with it.</summary>
    /// <param name="vanished">The process whose machine is gone: nothing leaves it any more, so that the other end only finds out by itself.</param>
    public void Break(SimulatedProcess? vanished = null)
    {
        if (IsBroken)
            return;
        (IsBroken, outlived) = (true, network.OutlivesItsConnection());
        client.Process.Connections.Remove(this);
        server.Process.Connections.Remove(this);
        Notify(client, server, vanished);
        Notify(server, client, vanished);
    }

    private End Of(SimulatedProcess process) => process == client.Process ? client : server;

    private void Plan(End sender, End receiver, TimeSpan moment, Action receive) =>
        network.Deliver(sender.Process.Machine, receiver.Process.Machine, moment, () => receiver.Process.Do(() =>
        {
            // What had left before the end is still read by a receiver that has not heard of the end.
            if (!IsBroken || (outlived && !receiver.KnowsEnd))
                receive();
        }));

    private void Notify(End end, End other, SimulatedProcess? vanished)
    {
        if (end.Process == vanished)
            return;
        var silent = vanished is not null || network.IsCut(other.Process.Machine, end.Process.Machine);
        end.Process.In(silent ? SimulatedNetwork.KeepAlive : network.DelayOfEnd(), () =>
        {
            end.KnowsEnd = true;
            end.Broken?.Invoke();
        });
    }

    private sealed class End(SimulatedProcess process)
    {
        public SimulatedProcess Process => process;

        public Action? Broken { get; set; }

        public bool KnowsEnd { get; set; }

        public TimeSpan LastArrival { get; set; }
    }
}
