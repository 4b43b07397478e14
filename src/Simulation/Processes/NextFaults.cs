namespace AdderNet.Simulation.Processes;

/// <summary>What is to befall a worker the next time that it does something.</summary>
internal sealed class NextFaults
{
    /// <summary>Its next computation never ends.</summary>
    public bool Hangs { get; set; }

    /// <summary>Its next exchange receives flipped bits.</summary>
    public bool Flips { get; set; }

    /// <summary>Its session breaks before its next vote with flipped bits leaves, and is opened again only after a while.</summary>
    public bool LosesVote { get; set; }

    /// <summary>Its session breaks as its next computation begins, which takes until the others have gone on without it.</summary>
    public bool WorksAlone { get; set; }

    /// <summary>Its next vote is long under way, and meanwhile another worker's session breaks.</summary>
    public bool VotesLate { get; set; }

    /// <summary>It reaches its next base with other bits than the rest.</summary>
    public bool SpoilsBase { get; set; }

    /// <summary>Its next application throws.</summary>
    public bool FailsApply { get; set; }

    /// <summary>What it reports of itself next arrives again, some steps later.</summary>
    public bool RepeatsReport { get; set; }
}
