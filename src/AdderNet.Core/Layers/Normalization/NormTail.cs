namespace AdderNet.Core.Layers.Normalization;

/// <summary>What follows a batch norm in the same pass; empty structs, so that each combination gets loops of its own.</summary>
internal interface INormTail
{
    /// <summary>Whether another map is added (the end of a residual block).</summary>
    static abstract bool Adds { get; }

    /// <summary>Whether a ReLU comes last.</summary>
    static abstract bool Rectifies { get; }
}

/// <summary>y = norm.</summary>
internal readonly struct NormAlone : INormTail
{
    public static bool Adds => false;

    public static bool Rectifies => false;
}

/// <summary>y = max(norm, 0).</summary>
internal readonly struct NormThenRelu : INormTail
{
    public static bool Adds => false;

    public static bool Rectifies => true;
}

/// <summary>y = norm + other.</summary>
internal readonly struct NormThenJoin : INormTail
{
    public static bool Adds => true;

    public static bool Rectifies => false;
}

/// <summary>y = max(norm + other, 0).</summary>
internal readonly struct NormThenJoinThenRelu : INormTail
{
    public static bool Adds => true;

    public static bool Rectifies => true;
}
