using AdderNet.Core.Engine;

namespace AdderNet.Core.Checkpoints;

/// <summary>
/// Matches the tensors of a file with a model's layout. PyTorch's <c>module.</c> prefix and <c>num_batches_tracked</c>
/// are ignored; a missing, unknown or misshapen tensor is an error that names it.
/// </summary>
internal sealed class StateDict
{
    private const string ParallelPrefix = "module.";
    private const string BatchCounter = "num_batches_tracked";
    private readonly SafetensorsFile file;
    private readonly Dictionary<string, TensorEntry> entries = new(StringComparer.Ordinal);

    /// <param name="file">The opened file.</param>
    /// <param name="accept">Maps a tensor's name to its state-dict name, or to null for one that is none of ours.</param>
    public StateDict(SafetensorsFile file, Func<string, string?> accept)
    {
        this.file = file;
        foreach (var entry in file.Tensors.Values)
        {
            if (accept(entry.Name) is not { } name)
                continue;
            if (name.StartsWith(ParallelPrefix, StringComparison.Ordinal))
                name = name[ParallelPrefix.Length..];
            if (name == BatchCounter || name.EndsWith("." + BatchCounter, StringComparison.Ordinal))
                continue;
            if (!entries.TryAdd(name, entry))
                throw new TensorFileException(file.Source, $"has tensor '{name}' both with and without the prefix {ParallelPrefix}");
        }
    }

    /// <summary>Fills a flat buffer from the tensors of <paramref name="slots"/>.</summary>
    /// <param name="slots">Where each tensor lies in the buffer.</param>
    /// <param name="prefix">Stands before the slot's name.</param>
    /// <param name="destination">Receives the values.</param>
    /// <param name="required">A tensor that the file lacks is an error; otherwise its elements stay as they are.</param>
    public void Fill(IEnumerable<TensorSlot> slots, string prefix, float[] destination, bool required)
    {
        foreach (var slot in slots)
        {
            var name = prefix + slot.Name;
            if (!entries.Remove(name, out var entry))
            {
                if (required)
                    throw new TensorFileException(file.Source, $"lacks tensor '{name}' F32 [{string.Join(',', slot.Shape)}] of this model");
                continue;
            }

            if (entry.Type != TensorType.F32 || !entry.Shape.SequenceEqual(slot.Shape))
                throw new TensorFileException(file.Source, $"tensor '{name}' is {entry.Form}, but this model's is F32 [{string.Join(',', slot.Shape)}]");
            file.ReadFloat32(entry.Name, destination.AsSpan(slot.Offset, slot.Length));
        }
    }

    /// <summary>Refuses what no <see cref="Fill"/> asked for.</summary>
    public void RefuseRest()
    {
        if (entries.Count > 0)
            throw new TensorFileException(file.Source, $"tensor {TensorFileException.Quote(entries.Keys.Order(StringComparer.Ordinal).First())} is not one of this model's");
    }
}
