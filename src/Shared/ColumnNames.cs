namespace Distributed;

/// <summary>The names of a table's columns.</summary>
/// <param name="Features">The columns that are features, in the order in which a model takes them.</param>
/// <param name="Target">The column that is learnt.</param>
public sealed record ColumnNames(IReadOnlyList<string> Features, string Target);
