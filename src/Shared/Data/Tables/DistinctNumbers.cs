namespace Distributed.Data.Tables;

/// <summary>Counts the different numbers of a column.</summary>
internal static class DistinctNumbers
{
    /// <summary>How many different numbers stand in some rows; gaps are none.</summary>
    /// <param name="values">[all rows], NaN for a gap.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="workspace">Where they are sorted.</param>
    public static int Count(ReadOnlySpan<double> values, ReadOnlySpan<int> rows, Workspace workspace)
    {
        var room = workspace.Allocate<double>(rows.Length);
        var numbers = room.Span;
        var count = 0;
        foreach (var row in rows)
        {
            if (!double.IsNaN(values[row]))
                numbers[count++] = values[row];
        }

        workspace.ReadInOrder<double>(room);
        numbers = numbers[..count];
        numbers.Sort();
        var different = count > 0 ? 1 : 0;
        for (var i = 1; i < numbers.Length; i++)
            different += numbers[i] == numbers[i - 1] ? 0 : 1;
        workspace.Free<double>(room);
        return different;
    }
}
