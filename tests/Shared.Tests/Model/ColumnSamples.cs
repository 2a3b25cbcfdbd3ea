using Distributed.Model;

namespace Distributed.Shared.Tests.Model;

/// <summary>Training samples that a test lists row by row.</summary>
internal sealed class ColumnSamples(params float[][] rows) : ITrainingColumns
{
    public int Rows => rows.Length;

    public void Copy(int column, Span<float> destination)
    {
        for (var row = 0; row < rows.Length; row++)
            destination[row] = rows[row][column];
    }
}
