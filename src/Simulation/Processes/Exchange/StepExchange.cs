using AdderNet.Core.Sharding;
using AdderNet.Simulation.Model;
using AdderNet.Worker.Exchange;
using AdderNet.Worker.Membership;

namespace AdderNet.Simulation.Processes.Exchange;

/// <summary>
/// One member's exchange of one step, along the same groups as the real one: it offers its subtree sums, pulls those of the
/// others for the buckets it holds, offers the group's sums or the finished means, and pulls the means of the other buckets.
/// </summary>
internal sealed class StepExchange
{
    private readonly GenerationView view;
    private readonly SimulatedWorker self;
    private readonly long step;
    private readonly IReadOnlyList<Bucket> buckets;
    private readonly MemberInfo me;
    private readonly ExchangeGroups groups;
    private readonly Dictionary<int, TreeJoin> held;
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
        me = view.Find(self.Name)!;
        groups = new ExchangeGroups(view.Members, self.GroupSize);
        held = buckets.Where(b => Holder(b) == me)
            .ToDictionary(b => b.Index, b => new TreeJoin(b.Owner == me ? new ShardRange(0, self.Model.Shards) : groups.Range(groups.GroupOf(me))));
        missing = [.. buckets.Select(b => b.Index)];
    }

    /// <summary>Offers and pulls; <paramref name="sums"/> null: an observer, which only takes means.</summary>
    public void Begin(IReadOnlyList<NodeSum>? sums)
    {
        foreach (var bucket in sums is null ? [] : buckets)
        {
            var piece = new Piece([.. sums!.Select(s => Slice(s, bucket))]);
            if (!held.ContainsKey(bucket.Index))
                self.Pieces.Publish(PieceSort.Subtrees, bucket.Index, piece);
            else
                TakeSums(bucket, piece);
        }

        foreach (var bucket in buckets)
        {
            if (bucket.Owner != me)
                Pull(held.ContainsKey(bucket.Index) ? bucket.Owner : Holder(bucket), PieceSort.Mean, bucket, piece => TakeMean(bucket, piece));
            if (!held.ContainsKey(bucket.Index))
                continue;
            foreach (var member in groups.Members(groups.GroupOf(me)).Where(m => m != me))
                Pull(member, PieceSort.Subtrees, bucket, piece => TakeSums(bucket, piece));
            foreach (var other in Enumerable.Range(0, groups.Count).Where(g => bucket.Owner == me && g != groups.GroupOf(me)))
                Pull(groups.Holder(bucket, other), PieceSort.GroupSums, bucket, piece => TakeSums(bucket, piece));
        }
    }

    /// <summary>Nothing that still arrives counts.</summary>
    public void GiveUp() => isOver = true;

    private static NodeSum Slice(NodeSum sum, Bucket bucket) =>
        sum with { Values = sum.Values[bucket.Offset..(bucket.Offset + bucket.Length)] };

    private MemberInfo Holder(Bucket bucket) => groups.Holder(bucket, groups.GroupOf(me));

    private void Pull(MemberInfo peer, PieceSort sort, Bucket bucket, Action<Piece> take)
    {
        var wanted = new PieceId(view.RunId, view.Generation, step, sort, bucket.Index);
        self.Calls.To<Piece>(
            peer.WorkerId,
            (server, serve, refuse) => server.Pieces.Ask(wanted, serve, refuse),
            piece =>
            {
                self.Neighbours.Heard(peer.WorkerId);
                if (isOver)
                    return;
                self.Advance();
                take(piece);
            },
            why => Fail(why, peer.WorkerId));
    }

    private void TakeSums(Bucket bucket, Piece piece)
    {
        try
        {
            foreach (var node in piece.Nodes)
            {
                if (held[bucket.Index].Add(node) is not { } sums)
                    continue;
                if (bucket.Owner == me)
                    TakeMean(bucket, new Piece(sums));
                else
                    self.Pieces.Publish(PieceSort.GroupSums, bucket.Index, new Piece(sums));
            }
        }
        catch (FormatException e)
        {
            Fail(e.Message, "");
        }
    }

    private void TakeMean(Bucket bucket, Piece piece)
    {
        if (held.ContainsKey(bucket.Index))
            self.Pieces.Publish(PieceSort.Mean, bucket.Index, piece);
        var root = piece.Nodes[0];
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
