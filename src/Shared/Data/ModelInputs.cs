namespace Distributed.Data;

/// <summary>What a model takes: what samples must look like to be predicted by it.</summary>
/// <param name="Model">The model's name or file, for messages.</param>
/// <param name="Shape">The shape of a sample.</param>
/// <param name="Preprocessing">How raw values become inputs.</param>
/// <param name="Columns">The columns of its training data; null where samples have no columns or these have no names.</param>
internal sealed record ModelInputs(string Model, SampleShape Shape, Preprocessing Preprocessing, ColumnNames? Columns)
{
    /// <summary>The numbers that it predicts, by which those of samples are standardised; null if it predicts classes.</summary>
    public NumericTargets? Targets { get; init; }

    /// <summary>What it predicts.</summary>
    public LearningTask Task => Targets is null ? LearningTask.Classification : LearningTask.Regression;
}
