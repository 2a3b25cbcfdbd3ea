namespace Distributed.Model;

/// <summary>The samples that a run trains on, column by column: what a layer may be fitted to before training begins.</summary>
internal interface ITrainingColumns
{
    /// <summary>Number of samples.</summary>
    int Rows { get; }

    /// <summary>Copies one value of each sample, as a network sees it.</summary>
    /// <param name="column">Which of a sample's values.</param>
    /// <param name="destination">[rows]; overwritten.</param>
    void Copy(int column, Span<float> destination);
}
