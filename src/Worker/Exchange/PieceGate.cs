namespace AdderNet.Worker.Exchange;

/// <summary>What becomes of a neighbour's request for a piece.</summary>
internal enum PieceVerdict
{
    /// <summary>Answer, at once or as soon as the piece is there.</summary>
    Serve,

    /// <summary>The neighbour is ahead: it waits until this member has caught up.</summary>
    Wait,

    /// <summary>The neighbour is behind, or asks what no member may.</summary>
    Refuse,
}

/// <summary>Judges requests for pieces: neighbours learn of new generations and steps at different times.</summary>
internal static class PieceGate
{
    /// <summary>Judges one request by where this member is; the reason is for the neighbour.</summary>
    /// <param name="runId">This member's run; empty before its first generation.</param>
    /// <param name="generation">Its generation.</param>
    /// <param name="step">The step it is computing, or computed last.</param>
    /// <param name="wanted">The requested piece.</param>
    public static (PieceVerdict Verdict, string Reason) Judge(string runId, long generation, long step, PieceId wanted)
    {
        if (runId.Length == 0)
            return (PieceVerdict.Wait, "this member is in no generation yet");
        if (wanted.RunId != runId)
            return (PieceVerdict.Refuse, $"this member works on run {runId}, not {wanted.RunId}");
        if (wanted.Generation < generation)
            return (PieceVerdict.Refuse, $"generation {wanted.Generation} is over: this member is in generation {generation}");
        if (wanted.Generation > generation)
            return (PieceVerdict.Wait, $"generation {wanted.Generation} was not announced here yet");

        // Subtree sums and moments lie in buffers that the next step overwrites; means are kept one step longer.
        var oldest = wanted.Sort == PieceSort.Mean ? step - 1 : step;
        if (wanted.Step < oldest)
            return (PieceVerdict.Refuse, $"step {wanted.Step} is over: this member is at step {step}");
        if (wanted.Step > step + 1)
            return (PieceVerdict.Refuse, $"step {wanted.Step} is more than one ahead of this member's step {step}");
        return wanted.Step > step
            ? (PieceVerdict.Wait, $"step {wanted.Step} has not begun here")
            : (PieceVerdict.Serve, "current");
    }
}
