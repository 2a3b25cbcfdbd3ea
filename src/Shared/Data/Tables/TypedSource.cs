using System.Text;
using Distributed.Data.Formats.Csv;

namespace Distributed.Data.Tables;

/// <summary>Consecutive rows of columns that have types.</summary>
internal abstract class TypedBlock
{
    /// <summary>Number of rows.</summary>
    public abstract int RowCount { get; }

    /// <summary>[rows], a column of numbers; NaN for a gap.</summary>
    /// <exception cref="InputException">It cannot be read.</exception>
    public abstract double[] Numbers(int column);

    /// <summary>[rows], the texts of a column, whatever its type; null for a gap.</summary>
    /// <exception cref="InputException">It cannot be read.</exception>
    public abstract string?[] Texts(int column);
}

/// <summary>A table whose columns have names and types: a Parquet file, rows from code.</summary>
internal abstract class TypedSource : TableSource
{
    // Text that a CSV file would have without quotes: spaces around it do not count.
    private const bool IsQuoted = false;

    /// <summary>The types of a column's values: of several files each has one.</summary>
    protected abstract IEnumerable<Type> TypesOf(int column);

    /// <summary>Number of rows.</summary>
    protected abstract int RowCount { get; }

    /// <summary>All rows, in their order.</summary>
    protected abstract IEnumerable<TypedBlock> Blocks();

    /// <inheritdoc />
    public sealed override RawTable Read(TableLayout layout, IReadOnlyList<ColumnKind?> kinds, CellRules rules, bool readsLabels)
    {
        var table = new RawTable(this, layout, kinds, rules, RowCount);
        var targets = new TargetStretches(table, layout, rules, readsLabels, firstRow: 0);
        RequireReadable([.. layout.Features, .. targets.Columns], layout);
        if (RowCount == 0)
            throw FileErrors.In(Path, "there are columns but no row; a dataset needs samples");
        ColumnStretch[] features = [.. kinds.Select((_, feature) => table.Stretch(feature, 0, rules))];
        var first = 0;
        foreach (var block in Blocks())
        {
            foreach (var (feature, column) in layout.Features.Index())
            {
                if (kinds[feature] != ColumnKind.Category && TypesOf(column).All(CellTypes.AreNumbers))
                    AddNumbers(block.Numbers(column), features[feature], first);
                else
                    AddTexts(block.Texts(column), first, features[feature].Add);
            }

            foreach (var column in targets.Columns)
                AddTexts(block.Texts(column), first, (cell, place) => targets.Add(cell, column, place));
            first += block.RowCount;
        }

        foreach (var (feature, stretch) in features.Index())
        {
            stretch.End();
            table.Columns[feature].Join(stretch);
        }

        targets.End();
        targets.Join();
        table.End();
        return table;
    }

    private delegate void AddCell(CsvCell cell, long place);

    private static void AddNumbers(ReadOnlySpan<double> numbers, ColumnStretch stretch, long place)
    {
        foreach (var number in numbers)
            stretch.AddNumber(number, place++);
    }

    private static void AddTexts(string?[] texts, long place, AddCell add)
    {
        var bytes = new byte[256];
        foreach (var text in texts)
        {
            var length = Encoding.UTF8.GetMaxByteCount(text?.Length ?? 0);
            if (length > bytes.Length)
                bytes = new byte[length];
            length = Encoding.UTF8.GetBytes(text, bytes);
            add(new CsvCell(bytes.AsSpan(0, length), IsQuoted, endsRecord: false), place++);
        }
    }

    private void RequireReadable(int[] columns, TableLayout layout)
    {
        List<string> problems = [];
        foreach (var column in columns)
        {
            if (TypesOf(column).Select(CellTypes.Refusal).FirstOrDefault(refusal => refusal is not null) is { } problem)
                problems.Add($"{layout.Describe(column)}: {problem}");
        }

        if (problems.Count > 0)
            throw FileErrors.AllIn(Path, problems);
    }
}
