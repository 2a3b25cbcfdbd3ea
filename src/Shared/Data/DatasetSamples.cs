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

    /// <summary>Refuses samples of another shape or scaling.</summary>
    /// <exception cref="InputException">The model does not take them.</exception>
    public static void RequireFit(Dataset dataset, ModelInputs inputs)
    {
        if (dataset.Shape.Length != inputs.Shape.Length)
        {
            throw new InputException(
                $"{dataset.Name}: a sample has {dataset.Shape.Length} values, {inputs.Model} takes {inputs.Shape.Length}"
            );
        }

        if (dataset.Preprocessing.ToJson() != inputs.Preprocessing.ToJson())
        {
            throw new InputException(
                $"{dataset.Name}: its values are scaled in another way ({dataset.Preprocessing.ToJson()}) "
                    + $"than {inputs.Model} expects ({inputs.Preprocessing.ToJson()})"
            );
        }
    }

    /// <inheritdoc />
    public override int Count => _dataset.Test.Count;

    /// <inheritdoc />
    public override void CopyInputs(int first, Preprocessing preprocessing, Span<float> destination) =>
        _dataset.Test.Decode([.. Enumerable.Range(first, destination.Length / _dataset.Shape.Length)], destination);
}
