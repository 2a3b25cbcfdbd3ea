namespace Distributed.Data.Tables;

/// <summary>The targets of a table's rows in their stored form: the index of a class, or standardised numbers; then a weight, if there are any.</summary>
/// <param name="table">The table.</param>
/// <param name="classNames">The classes of the training part, where classes are predicted.</param>
/// <param name="owner">Whose classes they are.</param>
/// <param name="numbers">The numbers of the training part, where numbers are predicted.</param>
/// <param name="weightOf">What a row counts for in training; null if targets have no weights.</param>
internal sealed class TableTargets(
    RawTable table,
    IReadOnlyList<string> classNames,
    string owner,
    NumericTargets? numbers,
    Func<int, float>? weightOf = null
)
{
    private readonly int _targets = numbers?.Count ?? 1;

    // Looked up when they are asked for, since a feature that does not fit is told first.
    private readonly Lazy<int[]> _classes = new(() => table.Labels.ClassesIn(classNames, owner));

    /// <summary>32-bit words in the target of a sample.</summary>
    public int Width => _targets + (weightOf is null ? 0 : 1);

    /// <summary>Encodes the targets of rows.</summary>
    /// <param name="rows">[n], the rows.</param>
    /// <param name="destination">[n, Width]; overwritten.</param>
    /// <exception cref="InputException">A target is not like those of the training part, or does not fit.</exception>
    public void Encode(ReadOnlySpan<int> rows, Span<int> destination)
    {
        if (numbers is not null)
            TargetStandardization.Store(table.Path, table.Numbers(), numbers, rows, destination, Width);
        else
            EncodeClasses(rows, destination);
        for (var i = 0; weightOf is not null && i < rows.Length; i++)
            destination[(i * Width) + _targets] = BitConverter.SingleToInt32Bits(weightOf(rows[i]));
    }

    private void EncodeClasses(ReadOnlySpan<int> rows, Span<int> destination)
    {
        var classes = _classes.Value;
        var ids = table.Labels.Ids;
        for (var i = 0; i < rows.Length; i++)
            destination[i * Width] = classes[ids[rows[i]]];
    }
}
