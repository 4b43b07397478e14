using AdderNet.Core.Sharding;
using AdderNet.Simulation.Model;
using AdderNet.Worker.Exchange;
using AdderNet.Worker.Membership;

namespace AdderNet.Simulation.Processes.Exchange;

/// <summary>
/// One member's exchange of one step: it offers its subtree sums, pulls those of the others for the buckets it owns, offers
/// the finished means, and pulls the means of the other buckets.
/// </summary>
internal sealed class StepExchange
{
    private readonly GenerationView view;
    private readonly SimulatedWorker self;
    private readonly long step;
    private readonly IReadOnlyList<Bucket> buckets;
    private readonly Dictionary<int, TreeJoin> mine;
    private readonly HashSet<int> missing;
    private readonly ulong[] mean = new ulong[GradientModel.Length];
    private readonly Action<ulong[], StepCounts> done;
    private readonly Action<string, string> failed;
    private StepCounts counts;
    private bool isOver;

    /// <param name="view">The generation.</param>
    /// <param name="self">This member.</param>
    /// <param name="step">The step.</param>
    /// <param name="done">Called with the whole mean.</param>
    /// <param name="failed">Called with why, and the peer at fault.</param>
    public StepExchange(GenerationView view, SimulatedWorker self, long step, Action<ulong[], StepCounts> done, Action<string, string> failed)
    {
        (this.view, this.self, this.step, this.done, this.failed) = (view, self, step, done, failed);
        buckets = BucketPlan.Cut(GradientModel.Length, GradientModel.Length * sizeof(float), view.Members);
        mine = buckets.Where(b => b.Owner.WorkerId == self.Name).ToDictionary(b => b.Index, _ => new TreeJoin(self.Model.Shards));
        missing = [.. buckets.Select(b => b.Index)];
    }

    /// <summary>Offers and pulls; <paramref name="sums"/> null: an observer, which only takes means.</summary>
    public void Begin(IReadOnlyList<NodeSum>? sums)
    {
        foreach (var bucket in sums is null ? [] : buckets)
        {
            var piece = new Piece([.. sums!.Select(s => Slice(s, bucket))]);
            if (!mine.ContainsKey(bucket.Index))
                self.Pieces.Publish(PieceSort.Subtrees, bucket.Index, piece);
            else
                TakeSubtrees(bucket, piece);
        }

        foreach (var bucket in buckets)
        {
            if (!mine.ContainsKey(bucket.Index))
                Pull(bucket.Owner.WorkerId, PieceSort.Mean, bucket, piece => TakeMean(bucket, piece.Nodes[0]));
            else
            {
                foreach (var member in view.Members.Where(m => m.Computes && m.WorkerId != self.Name))
                    Pull(member.WorkerId, PieceSort.Subtrees, bucket, piece => TakeSubtrees(bucket, piece));
            }
        }
    }

    /// <summary>Nothing that still arrives counts.</summary>
    public void GiveUp() => isOver = true;

    private static NodeSum Slice(NodeSum sum, Bucket bucket) =>
        sum with { Values = sum.Values[bucket.Offset..(bucket.Offset + bucket.Length)] };

    private void Pull(string peer, PieceSort sort, Bucket bucket, Action<Piece> take)
    {
        var wanted = new PieceId(view.RunId, view.Generation, step, sort, bucket.Index);
        self.Calls.To<Piece>(
            peer,
            (server, serve, refuse) => server.Pieces.Ask(wanted, serve, refuse),
            piece =>
            {
                if (isOver)
                    return;
                self.Advance();
                take(piece);
            },
            why => Fail(why, peer));
    }

    private void TakeSubtrees(Bucket bucket, Piece piece)
    {
        try
        {
            foreach (var node in piece.Nodes)
            {
                if (mine[bucket.Index].Add(node) is not { } root)
                    continue;
                self.Pieces.Publish(PieceSort.Mean, bucket.Index, new Piece([root]));
                TakeMean(bucket, root);
            }
        }
        catch (FormatException e)
        {
            Fail(e.Message, "");
        }
    }

    private void TakeMean(Bucket bucket, NodeSum root)
    {
        root.Values.CopyTo(mean, bucket.Offset);
        if (bucket.Index == 0)
            counts = root.Counts;
        missing.Remove(bucket.Index);
        if (missing.Count > 0 || isOver)
            return;
        isOver = true;
        done(mean, counts);
    }

    private void Fail(string why, string peer)
    {
        if (isOver)
            return;
        isOver = true;
        failed(why, peer);
    }
}
