namespace AdderNet.Core.Configuration;

/// <summary>Finds what a misspelt name was meant to be.</summary>
internal static class NearestName
{
    /// <summary>The candidate with the smallest edit distance; the first of equals.</summary>
    public static string Of(string name, IEnumerable<string> candidates) => candidates.MinBy(candidate => Distance(name, candidate))!;

    /// <summary>The key nearest to a dotted name: by the whole name, or by its last part under another section.</summary>
    public static string OfKey(string name, IEnumerable<string> keys)
    {
        var last = Last(name);
        return keys.MinBy(key => Math.Min(Distance(name, key), Distance(last, Last(key)) + 1))!;
    }

    /// <summary>Insertions, deletions and replacements between two names (Levenshtein), over their first 64 characters.</summary>
    public static int Distance(string a, string b)
    {
        const int longest = 64;
        ReadOnlySpan<char> left = a.AsSpan(0, Math.Min(a.Length, longest)), right = b.AsSpan(0, Math.Min(b.Length, longest));
        var row = new int[right.Length + 1];
        for (var j = 0; j <= right.Length; j++)
            row[j] = j;
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var replaced = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[right.Length];
    }

    private static string Last(string name) => name[(name.LastIndexOf('.') + 1)..];
}
