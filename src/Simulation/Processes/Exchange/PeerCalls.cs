using AdderNet.Simulation.Network;

namespace AdderNet.Simulation.Processes.Exchange;

/// <summary>A worker's calls to other workers: each ends once, with an answer or with a reason in words, or is given up.</summary>
internal sealed class PeerCalls(World world, SimulatedWorker self)
{
    private readonly Dictionary<string, Line> lines = [];

    /// <summary>A call under way.</summary>
    internal sealed class Call(Action<string> fail)
    {
        public bool IsOver { get; set; }

        public void Fail(string why)
        {
            if (IsOver)
                return;
            IsOver = true;
            fail(why);
        }
    }

    /// <summary>Calls a peer.</summary>
    /// <param name="peer">Its id.</param>
    /// <param name="serve">Happens at the peer, which answers or refuses.</param>
    /// <param name="answered">Happens here with the answer.</param>
    /// <param name="failed">Happens here when there is none.</param>
    public Call To<T>(string peer, Action<SimulatedWorker, Action<T>, Action<string>> serve, Action<T> answered, Action<string> failed)
    {
        var call = new Call(failed);
        var line = Open(peer);
        line.Calls.Add(call);
        line.WhenConnected((connection, server) => connection.Send(self, () =>
        {
            if (call.IsOver)
                return;
            serve(
                server,
                answer => connection.Send(server, () => End(() => answered(answer))),
                why => connection.Send(server, () => End(() => failed(why))));
        }));
        return call;

        void End(Action end)
        {
            if (call.IsOver)
                return;
            call.IsOver = true;
            line.Calls.Remove(call);
            end();
        }
    }

    private Line Open(string peer)
    {
        if (lines.TryGetValue(peer, out var line) && !line.IsGone)
            return line;
        lines[peer] = line = new Line();
        var server = world.Worker(peer);
        world.Network.Connect(
            self, server,
            connection =>
            {
                connection.OnBroken(self, () => line.Break("the connection broke"));
                line.Connect(connection, server!);
            },
            line.Break);
        return line;
    }

    private sealed class Line
    {
        private readonly List<Action<Connection, SimulatedWorker>> planned = [];
        private (Connection Connection, SimulatedWorker Server)? open;

        public List<Call> Calls { get; } = [];

        public bool IsGone { get; private set; }

        public void WhenConnected(Action<Connection, SimulatedWorker> send)
        {
            if (open is var (connection, server))
                send(connection, server);
            else
                planned.Add(send);
        }

        public void Connect(Connection connection, SimulatedWorker server)
        {
            open = (connection, server);
            foreach (var send in planned)
                send(connection, server);
            planned.Clear();
        }

        public void Break(string why)
        {
            IsGone = true;
            foreach (var call in Calls.ToList())
                call.Fail(why);
            Calls.Clear();
        }
    }
}
