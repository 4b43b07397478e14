namespace AdderNet.Core.Engine;

/// <summary>What a network says of one sample.</summary>
/// <param name="Label">Its class.</param>
/// <param name="Taken">The class of the largest logit, the lowest on ties; <see cref="Nothing"/> when a logit is not finite.</param>
/// <param name="InTop5">Whether the label is among the five largest logits; ties take the lowest classes.</param>
public readonly record struct SampleVerdict(int Label, int Taken, bool InTop5)
{
    /// <summary>Stands for no class.</summary>
    public const int Nothing = -1;
}
