using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Embeddings;

/// <summary>
/// The ids of the samples of a pass, once they have been checked: what is in here lies inside its table, so that the kernels index without
/// asking again. Nothing is allocated per pass.
/// </summary>
/// <param name="shape">The sizes.</param>
/// <param name="maximumRows">The most samples of a pass.</param>
internal sealed class EmbeddingIds(EmbeddingShape shape, int maximumRows)
{
    // Columns a power of two of bytes apart would share the few places in a cache that such addresses have.
    private readonly int[] _ids = new int[checked(shape.Columns.Length * StrideFor(maximumRows))];

    /// <summary>The sizes.</summary>
    public EmbeddingShape Shape { get; } = shape;

    /// <summary>Samples of the pass that was read last; 0 before the first, and where that was refused.</summary>
    public int Rows { get; private set; }

    /// <summary>[columns, <see cref="Stride"/>], of which the first <see cref="Rows"/> count, as the gradient takes them.</summary>
    internal ReadOnlySpan<int> Values => _ids;

    /// <summary>From the ids of a column to those of the next.</summary>
    internal int Stride { get; } = StrideFor(maximumRows);

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
            var values = input.Slice((row * Shape.InputLength) + Shape.Numbers, columns.Length);
            for (var column = 0; column < columns.Length; column++)
            {
                var id = float.ConvertToIntegerNative<int>(values[column]); // anything where it does not fit, which is then refused
                if ((uint)id >= (uint)columns[column].Rows || id != values[column])
                    throw Refused(values[column], row, column);
                _ids[(column * Stride) + row] = id;
            }
        }

        Rows = rows;
    }

    private static int StrideFor(int maximumRows) => checked(((maximumRows / CacheLine.Length) + 1 | 1) * CacheLine.Length);

    private ArgumentException Refused(float value, int row, int column) =>
        new($"sample {row} has {value} as an id in column {column} of categories, not 0 to {Shape.Columns[column].Rows - 1}");
}
