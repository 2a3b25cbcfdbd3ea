namespace Distributed.Data.Tables;

/// <summary>The columns that another file must have, because a model takes them or the training data has them.</summary>
/// <param name="Owner">Who takes or has them, for messages: a model or a file.</param>
/// <param name="Verb">What it does with them: takes or has.</param>
/// <param name="FeatureCount">Number of features.</param>
/// <param name="Names">The names; null if there are none, so that only the order counts.</param>
/// <param name="LabelIndices">The columns of the labels where the order counts; null for the last ones.</param>
internal sealed record TableColumns(string Owner, string Verb, int FeatureCount, ColumnNames? Names, IReadOnlyList<int>? LabelIndices)
{
    /// <summary>How many columns of labels there are.</summary>
    public int TargetCount { get; init; } = 1;

    /// <summary>The column of the weights in the training data; -1 if there is none.</summary>
    public int WeightIndex { get; init; } = -1;

    /// <summary>What a model takes.</summary>
    public static TableColumns Of(ModelInputs inputs) =>
        new(inputs.Model, "takes", inputs.Preprocessing.ColumnCount(inputs.Shape.Length), inputs.Columns, LabelIndices: null)
        {
            TargetCount = inputs.Targets?.Count ?? 1,
        };

    /// <summary>What the training data has.</summary>
    public static TableColumns Of(string path, TableLayout train) =>
        new(path, "has", train.Features.Count, train.Names, train.Labels)
        {
            TargetCount = train.Labels.Count,
            WeightIndex = train.WeightIndex,
        };

    /// <summary>The columns of a file that does not have the weights.</summary>
    public TableColumns WithoutWeights() =>
        WeightIndex >= 0 && LabelIndices is { } labels
            ? this with
            {
                LabelIndices = [.. labels.Select(label => label > WeightIndex ? label - 1 : label)],
                WeightIndex = -1,
            }
            : this;
}
