namespace Distributed.Coordinator.Options;

/// <summary>Suggests the nearest known name for a mistyped one.</summary>
internal static class Suggestion
{
    private const int MostMistakes = 3;

    /// <summary><c>; did you mean X?</c>, or an empty text if no name is near.</summary>
    internal static string For(string name, IEnumerable<string> known)
    {
        (string? Name, int Distance) nearest = known
            .Select(candidate => ((string?)candidate, Distance(name, candidate)))
            .DefaultIfEmpty((null, int.MaxValue))
            .MinBy(candidate => candidate.Item2);
        var limit = Math.Min(MostMistakes, name.Length / 2);
        return nearest.Distance <= limit ? $"; did you mean {nearest.Name}?" : "";
    }

    /// <summary>The Levenshtein distance (1966), one row of its table at a time.</summary>
    private static int Distance(string from, string to)
    {
        int[] row = [.. Enumerable.Range(0, to.Length + 1)];
        for (var i = 1; i <= from.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, 1 + Math.Min(row[j], row[j - 1]));
            }
        }
        return row[^1];
    }
}
