using System.IO.Hashing;
using System.Runtime.InteropServices;
using Distributed.Data.Formats.Csv;

namespace Distributed.Data.Tables;

/// <summary>Different texts in order of appearance, each with the place where it stands first.</summary>
internal sealed class WordTable
{
    private readonly Dictionary<string, int> _indexOf = new(StringComparer.Ordinal);
    private readonly List<string> _words = [];
    private readonly List<long> _places = [];

    // By the hash of its bytes a text that was seen before is found without making a string of it.
    private readonly Dictionary<ulong, (byte[] Text, bool IsQuoted, int Index)> _seen = [];

    /// <summary>The texts.</summary>
    public IReadOnlyList<string> Words => _words;

    /// <summary>The place at which each stands first.</summary>
    public IReadOnlyList<long> Places => _places;

    /// <summary>The index of a cell's text, which is added if it is new.</summary>
    /// <param name="cell">The cell.</param>
    /// <param name="place">Its place.</param>
    /// <param name="places">Names it.</param>
    /// <exception cref="InputException">It is not UTF-8.</exception>
    public int IndexOf(CsvCell cell, long place, RowPlaces places)
    {
        var hash = XxHash3.HashToUInt64(cell.Text);
        if (_seen.TryGetValue(hash, out var seen) && seen.IsQuoted == cell.IsQuoted && cell.Text.SequenceEqual(seen.Text))
            return seen.Index;
        var index = IndexOf(CsvText.Of(cell, place, places), place);
        _seen.TryAdd(hash, (cell.Text.ToArray(), cell.IsQuoted, index));
        return index;
    }

    /// <summary>Adds the texts of a later stretch of rows.</summary>
    /// <returns>The index that each of its texts has here.</returns>
    public int[] Join(WordTable later)
    {
        var indices = new int[later._words.Count];
        for (var word = 0; word < indices.Length; word++)
            indices[word] = IndexOf(later._words[word], later._places[word]);
        return indices;
    }

    private int IndexOf(string word, long place)
    {
        ref var index = ref CollectionsMarshal.GetValueRefOrAddDefault(_indexOf, word, out var isKnown);
        if (isKnown)
            return index;
        index = _words.Count;
        _words.Add(word);
        _places.Add(place);
        return index;
    }
}
