using System.Numerics;

namespace Distributed.Kernels.Embeddings;

/// <summary>
/// The rows of a pass by their id, each group in ascending order: a hash table with open addressing, whose entries are the groups' first
/// rows, each of which names the next. It is as large as the pass and not as the embedding's table, so that it stays in the first-level
/// cache.
/// </summary>
/// <param name="ids">[rows].</param>
/// <param name="rows">Number of rows.</param>
/// <param name="memory">[<see cref="LengthFor"/>] integers of scratch memory.</param>
internal readonly unsafe struct RowGroups(int* ids, int rows, int* memory)
{
    /// <summary>Stands for no row.</summary>
    public const int None = -1;

    // 2^32 divided by the golden ratio, which spreads neighbouring ids (D. Knuth, The art of computer programming, 6.4).
    private const uint Multiplier = 0x9E3779B9;

    private readonly int _bits = BitsFor(rows);

    /// <summary>[rows]: the row of the same id after each one, or <see cref="None"/>.</summary>
    public int* Next { get; } = memory + (1 << BitsFor(rows));

    /// <summary>[groups]: the entry of each group.</summary>
    private int* Groups => Next + rows;

    /// <summary>Integers of scratch memory for a number of rows.</summary>
    public static int LengthFor(int rows) => checked((1 << BitsFor(rows)) + (2 * rows));

    /// <summary>The first row of a group.</summary>
    public int FirstOf(int group) => memory[Groups[group]];

    /// <summary>Finds the groups, from the last row to the first, so that each begins with its first.</summary>
    /// <returns>Number of groups.</returns>
    public int Build()
    {
        new Span<int>(memory, 1 << _bits).Fill(None);
        var count = 0;
        for (var row = rows - 1; row >= 0; row--)
        {
            var entry = EntryOf(ids[row]);
            Next[row] = memory[entry];
            Groups[count] = entry;
            count += memory[entry] == None ? 1 : 0;
            memory[entry] = row;
        }

        return count;
    }

    // At least twice as many entries as rows: a search then looks at one or two of them.
    private static int BitsFor(int rows) => BitOperations.Log2((uint)Math.Max(rows, 1)) + 2;

    /// <summary>The entry of an id's group, or the empty one where it belongs.</summary>
    private int EntryOf(int id)
    {
        var entry = (int)(((uint)id * Multiplier) >> (32 - _bits));
        while (memory[entry] != None && ids[memory[entry]] != id)
            entry = (entry + 1) & ((1 << _bits) - 1);
        return entry;
    }
}
