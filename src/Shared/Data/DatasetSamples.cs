using Distributed.Data.Formats;

namespace Distributed.Data;

/// <summary>The test set of a dataset as samples to predict.</summary>
internal sealed class DatasetSamples : RawSamples
{
    private readonly Dataset _dataset;

    /// <summary>Checks that the model takes them.</summary>
    /// <exception cref="InputException">It does not.</exception>
    public DatasetSamples(Dataset dataset, ModelInputs inputs)
    {
        RequireFit(dataset, inputs);
        _dataset = dataset;
    }

    /// <summary>Refuses samples of another shape, of other columns, or of another scaling.</summary>
    /// <exception cref="InputException">The model does not take them.</exception>
    public static void RequireFit(Dataset dataset, ModelInputs inputs)
    {
        if (dataset.Shape.Length != inputs.Shape.Length)
        {
            throw new InputException(
                $"{dataset.Name}: a sample has {dataset.Shape.Length} values, {inputs.Model} takes {inputs.Shape.Length}"
            );
        }

        RequireColumns(dataset, inputs);
        if (dataset.Preprocessing.ToJson() != inputs.Preprocessing.ToJson())
        {
            throw new InputException(
                $"{dataset.Name}: its values are scaled in another way ({dataset.Preprocessing.ToJson()}) "
                    + $"than {inputs.Model} expects ({inputs.Preprocessing.ToJson()})"
            );
        }
    }

    // What is in its stored form cannot be brought into the model's order, as rows of a file are.
    private static void RequireColumns(Dataset dataset, ModelInputs inputs)
    {
        if (dataset.Columns?.Features is not { } columns || inputs.Columns?.Features is not { } taken || columns.SequenceEqual(taken))
            return;
        throw new InputException(
            taken.Except(columns).FirstOrDefault() is { } missing
                ? $"{dataset.Name}: there is no column '{Printable.Of(missing)}', which {inputs.Model} takes"
                : $"{dataset.Name}: its columns stand in another order ({Printable.Of(string.Join(", ", columns))}) than {inputs.Model} takes them "
                    + $"({Printable.Of(string.Join(", ", taken))}); pack them in that order, or name the file that they were packed from"
        );
    }

    /// <inheritdoc />
    public override int Count => _dataset.Test.Count;

    /// <inheritdoc />
    public override void CopyInputs(int first, Preprocessing preprocessing, Span<float> destination) =>
        _dataset.Test.Decode([.. Enumerable.Range(first, destination.Length / _dataset.Shape.Length)], destination);
}
