using Distributed.Data;
using Distributed.Model;

namespace Distributed.Training;

/// <summary>The columns of a dataset's training samples.</summary>
/// <param name="samples">The samples, at least one.</param>
internal sealed class TrainingColumns(SampleSet samples) : ITrainingColumns
{
    /// <inheritdoc />
    public int Rows => samples.Count;

    /// <inheritdoc />
    public void Copy(int column, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, Rows, nameof(destination));
        var sample = new float[samples.IsBytes ? samples.BytesPerSample : samples.BytesPerSample / sizeof(float)];
        for (var row = 0; row < destination.Length; row++)
        {
            samples.Decode([row], sample);
            destination[row] = sample[column];
        }
    }
}
