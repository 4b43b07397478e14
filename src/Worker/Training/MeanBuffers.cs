namespace AdderNet.Worker.Training;

/// <summary>
/// Buffers for finished means, by step, used again and again. Pieces served to other members lie in them, so those of the
/// last steps are kept. One user at a time.
/// </summary>
internal sealed class MeanBuffers(int length)
{
    private readonly SortedDictionary<long, float[]> used = [];
    private readonly Stack<float[]> free = [];

    /// <summary>The buffer of a step; what it holds is that step's mean, or nothing that matters.</summary>
    public float[] Of(long step)
    {
        if (!used.TryGetValue(step, out var buffer))
            used[step] = buffer = free.TryPop(out var ready) ? ready : GC.AllocateUninitializedArray<float>(length);
        return buffer;
    }

    /// <summary>Gives up the buffers of steps for which <paramref name="isOver"/> holds.</summary>
    public void Release(Func<long, bool> isOver)
    {
        foreach (var step in used.Keys.Where(isOver).ToList())
        {
            used.Remove(step, out var buffer);
            free.Push(buffer!);
        }
    }
}
