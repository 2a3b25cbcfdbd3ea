namespace Distributed.Kernels.Embeddings;

/// <summary>
/// The ids of the samples of a pass, once they have been checked: what is in here lies inside its table, so that the kernels index without
/// asking again. Nothing is allocated per pass.
/// </summary>
/// <param name="shape">The sizes.</param>
/// <param name="maximumRows">The most samples of a pass.</param>
internal sealed class EmbeddingIds(EmbeddingShape shape, int maximumRows)
{
    private readonly int[] _ids = new int[checked(shape.Columns.Length * maximumRows)];

    /// <summary>The sizes.</summary>
    public EmbeddingShape Shape { get; } = shape;

    /// <summary>Samples of the pass that was read last; 0 before the first, and where that was refused.</summary>
    public int Rows { get; private set; }

    /// <summary>[columns, rows]: column by column, as the gradient takes them.</summary>
    internal ReadOnlySpan<int> Values => _ids.AsSpan(0, Shape.Columns.Length * Rows);

    /// <summary>Takes the ids of samples.</summary>
    /// <param name="input">[rows, numbers and ids].</param>
    /// <exception cref="ArgumentException">
    /// These are not whole rows, there are too many, or an id is not a whole number from 0 to below the rows of its table.
    /// </exception>
    public void Read(ReadOnlySpan<float> input)
    {
        Rows = 0;
        var (rows, rest) = int.DivRem(input.Length, Shape.InputLength);
        if (rest != 0 || rows > maximumRows)
            throw new ArgumentException($"{input.Length} inputs are not up to {maximumRows} rows of {Shape.InputLength}", nameof(input));
        var columns = Shape.Columns;
        for (var row = 0; row < rows; row++)
        {
            var ids = input.Slice((row * Shape.InputLength) + Shape.Numbers, columns.Length);
            for (var column = 0; column < columns.Length; column++)
                _ids[(column * rows) + row] = Checked(ids[column], columns[column].Rows, row, column);
        }

        Rows = rows;
    }

    private static int Checked(float value, int tableRows, int row, int column)
    {
        var id = (int)value; // saturates where it does not fit, and is then refused
        return value >= 0 && value < tableRows && id == value
            ? id
            : throw new ArgumentException($"sample {row} has {value} as an id in column {column} of categories, not 0 to {tableRows - 1}");
    }
}
