namespace Distributed.Data.Tables;

/// <summary>What a column of a table holds.</summary>
internal enum ColumnKind
{
    /// <summary>Numbers, which are standardised.</summary>
    Number,

    /// <summary>Words, each of which stands for a category.</summary>
    Category,
}
