namespace AdderNet.Simulation.Invariants;

/// <summary>An invariant that did not hold.</summary>
/// <param name="Rule">Which, in a few words.</param>
/// <param name="What">What was seen instead.</param>
internal sealed record Violation(string Rule, string What);
