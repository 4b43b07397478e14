namespace AdderNet.Simulation.Processes;

/// <summary>The state that a worker offers to others of its generation.</summary>
internal sealed class StateShelf
{
    private readonly List<(long Generation, long Step, Action<ulong> Serve, Action<string> Refuse)> waiting = [];
    private long generation;
    private (long Step, ulong State, bool Keep)? offered;
    private bool movedOn;

    public void BeginGeneration(long number)
    {
        (generation, offered, movedOn) = (number, null, false);
        LookAgain();
    }

    public void Offer(long step, ulong state, bool keep)
    {
        offered = (step, state, keep);
        LookAgain();
    }

    /// <summary>The replica changes: what was not copied is no longer on offer.</summary>
    public void MoveOn()
    {
        movedOn = true;
        if (offered is { Keep: false })
            offered = null;
        LookAgain();
    }

    /// <summary>Answers once the state of a step is offered, or refuses.</summary>
    public void Ask(long wantedGeneration, long step, Action<ulong> serve, Action<string> refuse)
    {
        waiting.Add((wantedGeneration, step, serve, refuse));
        LookAgain();
    }

    private void LookAgain()
    {
        foreach (var request in waiting.ToList())
        {
            if (request.Generation > generation)
                continue;
            if (request.Generation == generation && offered is { } offer && offer.Step == request.Step)
                request.Serve(offer.State);
            else if (request.Generation < generation || movedOn || offered is not null)
                request.Refuse($"step {request.Step} of generation {request.Generation} is not on offer");
            else
                continue;
            waiting.Remove(request);
        }
    }
}
