namespace Distributed.Data.Formats.Csv;

/// <summary>The columns that another file must have, because a model takes them or the training data has them.</summary>
/// <param name="Owner">Who takes or has them, for messages: a model or a file.</param>
/// <param name="Verb">What it does with them: takes or has.</param>
/// <param name="FeatureCount">Number of features.</param>
/// <param name="Names">The names; null if there are none, so that only the order counts.</param>
/// <param name="LabelIndex">The column of the labels where the order counts; null for the last one.</param>
internal sealed record CsvColumns(string Owner, string Verb, int FeatureCount, ColumnNames? Names, int? LabelIndex)
{
    /// <summary>The column of the weights in the training data; -1 if there is none.</summary>
    public int WeightIndex { get; init; } = -1;

    /// <summary>What a model takes.</summary>
    public static CsvColumns Of(ModelInputs inputs) =>
        new(inputs.Model, "takes", inputs.Preprocessing.ColumnCount(inputs.Shape.Length), inputs.Columns, LabelIndex: null);

    /// <summary>What the training data has.</summary>
    public static CsvColumns Of(string path, CsvLayout train) =>
        new(path, "has", train.Features.Count, train.Names, train.LabelIndex) { WeightIndex = train.WeightIndex };

    /// <summary>The columns of a file that does not have the weights.</summary>
    public CsvColumns WithoutWeights() => WeightIndex >= 0 && WeightIndex < LabelIndex ? this with { LabelIndex = LabelIndex - 1 } : this;
}
