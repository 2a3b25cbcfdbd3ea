namespace Distributed.Data;

/// <summary>A part of a dataset.</summary>
internal enum DataPart
{
    /// <summary>What is trained on, and what everything is fitted on.</summary>
    Train = 0,

    /// <summary>What judges the training while it goes on.</summary>
    Holdout,

    /// <summary>What judges the result.</summary>
    Test,
}

/// <summary>
/// Which rows of a training set are held back: a function of their index alone, so that it can be asked while they are read. Every fifth is
/// for the test, unless there is a test set; of the others a fraction, spread evenly, is held out.
/// </summary>
/// <param name="HoldsTest">Whether the rows are a test set as well.</param>
/// <param name="Fraction">
/// The part of the rows that are not for the test that is held out; 0 for none. Decimal, so that 0.1 is a tenth.
/// </param>
internal readonly record struct RowSplit(bool HoldsTest, decimal Fraction = 0)
{
    /// <summary>The split that options ask for.</summary>
    /// <param name="options">What is said of the data.</param>
    /// <param name="holdsTest">Whether the rows are a test set as well.</param>
    public static RowSplit Of(DataOptions options, bool holdsTest) => new(holdsTest, Holdout.Of(options)?.Fraction ?? 0);

    /// <summary>Where a row belongs.</summary>
    /// <param name="row">Its index, from 0.</param>
    public DataPart PartOf(int row)
    {
        if (HoldsTest && TestSplit.IsTest(row))
            return DataPart.Test;
        if (Fraction == 0)
            return DataPart.Train;
        var place = HoldsTest ? row - (row / TestSplit.Period) : row; // among the rows that are not for the test
        return decimal.Floor((place + 1m) * Fraction) > decimal.Floor(place * Fraction) ? DataPart.Holdout : DataPart.Train;
    }

    /// <summary>The rows of a part, in order.</summary>
    /// <param name="part">The part.</param>
    /// <param name="count">Number of rows.</param>
    public int[] Rows(DataPart part, int count)
    {
        var rows = new int[Count(part, count)];
        Find(part, rows);
        return rows;
    }

    /// <summary>The rows of a part, in order.</summary>
    /// <param name="part">The part.</param>
    /// <param name="count">Number of rows.</param>
    /// <param name="workspace">Where they are put.</param>
    public ReadOnlyMemory<int> Rows(DataPart part, int count, Workspace workspace)
    {
        var rows = workspace.Allocate<int>(Count(part, count));
        Find(part, rows.Span);
        workspace.ReadInOrder<int>(rows);
        return rows;
    }

    /// <summary>How many rows a part has.</summary>
    /// <param name="part">The part.</param>
    /// <param name="count">Number of rows.</param>
    public int Count(DataPart part, int count)
    {
        var test = HoldsTest ? count / TestSplit.Period : 0;
        var holdout = (int)decimal.Floor((count - test) * Fraction);
        return part switch
        {
            DataPart.Test => test,
            DataPart.Holdout => holdout,
            _ => count - test - holdout,
        };
    }

    /// <summary>Refuses rows that are too few for the split.</summary>
    /// <param name="count">Number of rows.</param>
    /// <param name="path">Where they come from.</param>
    /// <exception cref="InputException">A part would be empty.</exception>
    public void RequireEnough(int count, string path)
    {
        if (HoldsTest && count < TestSplit.Period)
            throw FileErrors.In(path, $"{count} samples are too few to hold every fifth one back; name a test set with --test");
        if (Fraction > 0 && Count(DataPart.Holdout, count) == 0)
        {
            throw FileErrors.In(
                path,
                $"{count} samples are too few to hold a fraction of {new Holdout(Fraction, Path: null)} out; raise it, or name a file with --holdout"
            );
        }
    }

    /// <summary>Fills in the first rows of a part, as many as there is room for.</summary>
    private void Find(DataPart part, Span<int> rows)
    {
        var found = 0;
        for (var row = 0; found < rows.Length; row++)
        {
            if (PartOf(row) == part)
                rows[found++] = row;
        }
    }
}
