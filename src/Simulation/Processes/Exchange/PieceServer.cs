using AdderNet.Core.Sharding;
using AdderNet.Simulation.Model;
using AdderNet.Worker.Exchange;

namespace AdderNet.Simulation.Processes.Exchange;

/// <summary>A piece as it lies ready: nodes of the shard tree over one bucket.</summary>
internal sealed record Piece(IReadOnlyList<NodeSum> Nodes);

/// <summary>The pieces that a worker serves, under the rules of <see cref="PieceGate"/>: answered, refused, or kept waiting.</summary>
internal sealed class PieceServer
{
    /// <summary>What a buffer holds that is used for other things.</summary>
    private const ulong Overwritten = 0xDEAD_DEAD_DEAD_DEAD;

    private readonly Dictionary<PieceId, Piece> pieces = [];
    private readonly List<Request> waiting = [];
    private string run = "";
    private long generation;
    private long step;

    private sealed record Request(PieceId Wanted, Action<Piece> Serve, Action<string> Refuse);

    /// <summary>Leaves the old generation: its buffers are used for other things.</summary>
    public void BeginGeneration(string runId, long number, long baseStep)
    {
        (run, generation, step) = (runId, number, baseStep);
        Overwrite(_ => true);
        LookAgain();
    }

    /// <summary>The new step's sums take the buffers of the old ones; means stay for one step more.</summary>
    public void BeginStep(long number)
    {
        step = number;
        Overwrite(id => id.Step < (id.Sort == PieceSort.Mean ? number - 1 : number));
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

    /// <summary>A buffer that is used again does not vanish: only the gate keeps its old name from being served with other bits.</summary>
    private void Overwrite(Func<PieceId, bool> which)
    {
        foreach (var id in pieces.Keys.Where(id => id.Step < step - 3).ToList())
            pieces.Remove(id);
        foreach (var id in pieces.Keys.Where(which).ToList())
            pieces[id] = new Piece([.. pieces[id].Nodes.Select(n => n with { Values = [.. n.Values.Select(_ => Overwritten)] })]);
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

/// <summary>One bucket's reduction: nodes join with their siblings until the largest subtrees of a range are there.</summary>
internal sealed class TreeJoin(ShardRange range)
{
    private readonly Dictionary<TreeNodeId, NodeSum?> parts = ShardTree.Cover(range).ToDictionary(node => node, _ => (NodeSum?)null);
    private readonly Dictionary<TreeNodeId, NodeSum> nodes = [];

    /// <summary>Adds a node; the largest subtrees from left to right once all are complete.</summary>
    /// <exception cref="FormatException">A shard came twice.</exception>
    public IReadOnlyList<NodeSum>? Add(NodeSum node)
    {
        while (true)
        {
            if (!nodes.TryAdd(node.Node, node))
                throw new FormatException($"node {node.Node} came twice");
            if (parts.ContainsKey(node.Node))
            {
                parts[node.Node] = node;
                return parts.Values.All(p => p is not null) ? [.. parts.Values.Select(p => p!)] : null;
            }

            if (!nodes.Remove(ShardTree.Sibling(node.Node), out var sibling))
                return null;
            nodes.Remove(node.Node);
            node = (node.Node.Index & 1) == 0 ? GradientModel.Join(node, sibling) : GradientModel.Join(sibling, node);
        }
    }
}
