namespace Distributed.Data.Tables;

/// <summary>How a column becomes values of a sample, as it was fitted on the training part.</summary>
internal abstract record ColumnEncoding;

/// <summary>A number: <c>(value - mean) / deviation</c>, and where training had gaps a second value that is 1 for a gap, else 0.</summary>
/// <param name="Mean">What is subtracted; 0 if the column is not standardised.</param>
/// <param name="Deviation">What is divided by after that; 1 if the column is not standardised.</param>
/// <param name="Fill">What a gap is taken for: the mean of the values that are there.</param>
/// <param name="HasGaps">Whether the training part has gaps.</param>
internal sealed record NumberEncoding(double Mean, double Deviation, double Fill, bool HasGaps) : ColumnEncoding;

/// <summary>A word, which becomes an id: 1 and up for the words listed, 0 for all others.</summary>
/// <param name="Words">The words in ordinal order; the empty one stands for a gap.</param>
internal sealed record CategoryEncoding(IReadOnlyList<string> Words) : ColumnEncoding
{
    /// <summary>Number of different ids.</summary>
    public int Size => Words.Count + 1;

    /// <summary>The id of a word; the empty one for a gap.</summary>
    public Dictionary<string, int> Ids() => Words.Index().ToDictionary(word => word.Item, word => word.Index + 1, StringComparer.Ordinal);
}
