using Distributed.Data;
using Distributed.Model;

namespace Distributed.Training;

/// <summary>
/// The columns of a dataset's training samples. Of more than <see cref="MostRows"/> every so many are looked at, chosen by their index alone:
/// memory stays bounded, and quantiles of a million rows are those of all to a tenth of a percent.
/// </summary>
/// <param name="samples">The samples, at least one.</param>
internal sealed class TrainingColumns(SampleSet samples) : ITrainingColumns
{
    /// <summary>The most samples that are looked at.</summary>
    public const int MostRows = 1 << 20;

    private const int RowsOfBlock = 4096;

    /// <inheritdoc />
    public int Rows => Math.Min(samples.Count, MostRows);

    /// <inheritdoc />
    public void Copy(int column, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, Rows, nameof(destination));
        var indices = new int[Math.Min(RowsOfBlock, Rows)];
        for (var first = 0; first < Rows; first += RowsOfBlock)
        {
            var block = indices.AsSpan(0, Math.Min(RowsOfBlock, Rows - first));
            for (var i = 0; i < block.Length; i++)
                block[i] = (int)((long)(first + i) * samples.Count / Rows);
            samples.DecodeValues(block, column, count: 1, destination.Slice(first, block.Length));
        }
    }
}
