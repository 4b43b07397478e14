namespace AdderNet.Worker.Membership;

/// <summary>What a member does about an order, and why in words.</summary>
internal abstract record Decision(string Reason);

/// <summary>Nothing: the order is stale, foreign or said twice.</summary>
internal sealed record Ignore(string Reason) : Decision(Reason);

/// <summary>Look at it again after the next generation was entered.</summary>
internal sealed record Hold(string Reason) : Decision(Reason);

/// <summary>Tell the coordinator what this member holds.</summary>
internal sealed record ReportState(string Reason) : Decision(Reason);

/// <summary>Take part in a generation, reaching its base on the given route.</summary>
internal sealed record EnterGeneration(GenerationView View, BaseRoute Route, string Reason) : Decision(Reason);

/// <summary>Compute, exchange and vote.</summary>
internal sealed record ComputeStep(long Step, string Reason) : Decision(Reason);

/// <summary>Apply the held step.</summary>
internal sealed record ApplyStep(long Step, bool Skip, string Reason) : Decision(Reason);

/// <summary>Run blocks of the test set.</summary>
internal sealed record EvaluateBlocks(EvaluateOrder Order, string Reason) : Decision(Reason);

/// <summary>Write a checkpoint or the final weights.</summary>
internal sealed record SaveCheckpoint(CheckpointOrder Order, string Reason) : Decision(Reason);

/// <summary>The order cannot be followed: say so, so that a new generation sets things right.</summary>
internal sealed record Fail(string Phase, string Reason) : Decision(Reason);

/// <summary>The worker's work is over.</summary>
internal sealed record Finish(bool Failed, string Reason) : Decision(Reason);

/// <summary>How a member gets to a generation's base.</summary>
internal abstract record BaseRoute;

/// <summary>It is there.</summary>
internal sealed record Stay : BaseRoute;

/// <summary>It holds the committed step and applies it.</summary>
internal sealed record ApplyPending(bool Skip) : BaseRoute;

/// <summary>It takes the state from one of these members.</summary>
internal sealed record Download(IReadOnlyList<MemberInfo> Sources) : BaseRoute;

/// <summary>It loads a checkpoint file.</summary>
internal sealed record LoadCheckpoint(string Path) : BaseRoute;

/// <summary>It goes back to the initial weights (base 0 only).</summary>
internal sealed record StartOver : BaseRoute;
