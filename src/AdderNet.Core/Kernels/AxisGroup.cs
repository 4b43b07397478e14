namespace AdderNet.Core.Kernels;

/// <summary>
/// Places of a map (rows or columns) that meet the same taps. The elements that the taps read lie one after another, in the
/// order of the taps.
/// </summary>
/// <param name="Taps">The taps, in the order of summation.</param>
/// <param name="Places">Each place, with the element that its first tap reads.</param>
internal sealed record AxisGroup(int[] Taps, List<(int Place, int FirstElement)> Places)
{
    /// <summary>
    /// Groups the rows (or columns) of a map of results. Places without taps read nothing.
    /// </summary>
    /// <param name="size">Number of places.</param>
    /// <param name="tapsOf">The taps of a place in ascending order of the elements that they read.</param>
    /// <param name="elementOf">The element that a tap reads at a place.</param>
    public static List<AxisGroup> Of(int size, Func<int, IEnumerable<int>> tapsOf, Func<int, int, int> elementOf)
    {
        var groups = new List<AxisGroup>();
        for (var place = 0; place < size; place++)
        {
            int[] taps = [.. tapsOf(place)];
            var group = groups.Find(g => g.Taps.AsSpan().SequenceEqual(taps));
            if (group is null)
                groups.Add(group = new AxisGroup(taps, []));
            group.Places.Add((place, taps.Length == 0 ? 0 : elementOf(place, taps[0])));
        }

        return groups;
    }
}
