namespace Distributed;

/// <summary>The names of a table's columns.</summary>
/// <param name="Features">The columns that are features, in the order in which a model takes them.</param>
/// <param name="Target">The column that is learnt, or the first of them.</param>
public sealed record ColumnNames(IReadOnlyList<string> Features, string Target)
{
    /// <summary>The columns that are learnt, in the order in which a model predicts them.</summary>
    public IReadOnlyList<string> Targets { get; init; } = [Target];

    /// <summary>The columns of the training data that were left out, and that other data may have as well.</summary>
    public IReadOnlyList<string> Ignored { get; init; } = [];
}
