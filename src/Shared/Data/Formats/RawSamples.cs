namespace Distributed.Data.Formats;

/// <summary>Samples as a file holds them, to be predicted; their targets, if there are any, are left aside.</summary>
internal abstract class RawSamples
{
    /// <summary>Number of samples.</summary>
    public abstract int Count { get; }

    /// <summary>Turns consecutive samples into a model's inputs.</summary>
    /// <param name="first">The first one.</param>
    /// <param name="preprocessing">How the model's training data was scaled.</param>
    /// <param name="destination">[n, values of a sample]: overwritten.</param>
    /// <exception cref="InputException">A value is too large for the model.</exception>
    public abstract void CopyInputs(int first, Preprocessing preprocessing, Span<float> destination);
}
