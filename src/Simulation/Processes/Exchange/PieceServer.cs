using AdderNet.Core.Sharding;
using AdderNet.Simulation.Model;
using AdderNet.Worker.Exchange;

namespace AdderNet.Simulation.Processes.Exchange;

/// <summary>A piece as it lies ready: nodes of the shard tree over one bucket.</summary>
internal sealed record Piece(IReadOnlyList<NodeSum> Nodes);

/// <summary>The pieces that a worker serves, under the rules of <see cref="PieceGate"/>: answered, refused, or kept waiting.</summary>
internal sealed class PieceServer
{
    private readonly Dictionary<PieceId, Piece> pieces = [];
    private readonly List<Request> waiting = [];
    private string run = "";
    private long generation;
    private long step;

    private sealed record Request(PieceId Wanted, Action<Piece> Serve, Action<string> Refuse);

    /// <summary>Leaves the old generation: its pieces are gone.</summary>
    public void BeginGeneration(string runId, long number, long baseStep)
    {
        (run, generation, step) = (runId, number, baseStep);
        pieces.Clear();
        LookAgain();
    }

    /// <summary>Drops what the new step's buffers overwrite, and means older than one step.</summary>
    public void BeginStep(long number)
    {
        step = number;
        foreach (var id in pieces.Keys.Where(id => id.Step < (id.Sort == PieceSort.Mean ? number - 1 : number)).ToList())
            pieces.Remove(id);
        LookAgain();
    }

    public void Publish(PieceSort sort, int index, Piece piece)
    {
        pieces[new PieceId(run, generation, step, sort, index)] = piece;
        LookAgain();
    }

    /// <summary>Answers once the piece exists, or refuses.</summary>
    public void Ask(PieceId wanted, Action<Piece> serve, Action<string> refuse)
    {
        var request = new Request(wanted, serve, refuse);
        if (!TryAnswer(request))
            waiting.Add(request);
    }

    private void LookAgain()
    {
        foreach (var request in waiting.ToList())
        {
            if (TryAnswer(request))
                waiting.Remove(request);
        }
    }

    private bool TryAnswer(Request request)
    {
        var (verdict, reason) = PieceGate.Judge(run, generation, step, request.Wanted);
        if (verdict == PieceVerdict.Refuse)
        {
            request.Refuse(reason);
            return true;
        }

        if (verdict != PieceVerdict.Serve || !pieces.TryGetValue(request.Wanted, out var piece))
            return false;
        request.Serve(piece);
        return true;
    }
}

/// <summary>One bucket's reduction: nodes join with their siblings until the root is there.</summary>
internal sealed class TreeJoin(int shards)
{
    private readonly Dictionary<TreeNodeId, NodeSum> nodes = [];

    /// <summary>Adds a node; the root once it is complete.</summary>
    /// <exception cref="FormatException">A shard came twice.</exception>
    public NodeSum? Add(NodeSum node)
    {
        while (true)
        {
            if (!nodes.TryAdd(node.Node, node))
                throw new FormatException($"node {node.Node} came twice");
            if (node.Node.Level == ShardTree.RootLevel(shards))
                return node;
            if (!nodes.Remove(ShardTree.Sibling(node.Node), out var sibling))
                return null;
            nodes.Remove(node.Node);
            node = (node.Node.Index & 1) == 0 ? GradientModel.Join(node, sibling) : GradientModel.Join(sibling, node);
        }
    }
}
