namespace AdderNet.Core.Data.Images;

/// <summary>How much of a JPEG's resolution is decoded.</summary>
public enum PhotographDecoding
{
    /// <summary>All of it, as Pillow does.</summary>
    Full,

    /// <summary>
    /// A half, a quarter or an eighth of it, as long as the part that is used stays at least as large as what it becomes:
    /// faster for large photographs, and not the same pixels (docs/data.md has the difference, measured).
    /// </summary>
    Scaled,
}
