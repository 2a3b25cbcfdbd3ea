using System.Numerics;
using Distributed.Data.Tables;

namespace Distributed.Data;

/// <summary>
/// How a stored sample becomes the numbers a network sees. Either each value is a byte that is divided by
/// <see cref="ByteDivisor"/>, or it is a 32-bit float, already standardised when it was read, with the column means and
/// deviations kept here so that a trained model can be applied to new values. A table with categories or gaps has them column by column.
/// </summary>
public sealed class Preprocessing
{
    private readonly double[] _means;
    private readonly double[] _deviations;

    private Preprocessing(float? byteDivisor, IReadOnlyList<double> means, IReadOnlyList<double> deviations, TableEncoding? table = null)
    {
        ByteDivisor = byteDivisor;
        Means = _means = [.. means];
        Deviations = _deviations = [.. deviations];
        Table = table;
    }

    /// <summary>Floats as they are in the file.</summary>
    public static Preprocessing None { get; } = new(null, [], []);

    /// <summary>What a byte is divided by, or null if values are floats.</summary>
    public float? ByteDivisor { get; }

    /// <summary>What was subtracted from each column, or empty if the columns were not standardised.</summary>
    public IReadOnlyList<double> Means { get; }

    /// <summary>What each column was divided by after that, or empty if the columns were not standardised.</summary>
    public IReadOnlyList<double> Deviations { get; }

    /// <summary>How each column of a table with categories or gaps is encoded; null for others.</summary>
    internal TableEncoding? Table { get; }

    /// <summary>Bytes that are divided by a number.</summary>
    /// <param name="divisor">The number, such as 255; positive and finite.</param>
    public static Preprocessing Bytes(float divisor)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(divisor);
        ArgumentOutOfRangeException.ThrowIfEqual(float.IsFinite(divisor), false, nameof(divisor));
        return new Preprocessing(divisor, [], []);
    }

    /// <summary>Floats that were standardised column by column: <c>(value - mean) / deviation</c>.</summary>
    /// <param name="means">One mean for each column.</param>
    /// <param name="deviations">One deviation for each column; none is 0.</param>
    public static Preprocessing Standardized(IReadOnlyList<double> means, IReadOnlyList<double> deviations)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(deviations.Count, means.Count);
        if (!means.All(double.IsFinite) || !deviations.All(deviation => double.IsFinite(deviation) && deviation > 0))
        {
            throw new ArgumentException("Means must be finite, deviations finite and positive.", nameof(deviations));
        }

        return new Preprocessing(null, means, deviations);
    }

    /// <summary>The columns of a table with categories or gaps.</summary>
    internal static Preprocessing Of(TableEncoding table) => new(null, [], [], table);

    /// <summary>Values of a sample.</summary>
    /// <param name="columns">Columns of features.</param>
    internal int SampleLength(int columns) => Table?.Length ?? columns;

    /// <summary>What has still to be done to samples that are stored: bytes are divided, floats are as a network sees them.</summary>
    internal Preprocessing OfStored => ByteDivisor is null ? None : this;

    /// <summary>What a sample is made of.</summary>
    /// <param name="shape">The shape of a sample.</param>
    /// <param name="names">The names of the columns; null if they have none.</param>
    internal InputColumns Inputs(SampleShape shape, ColumnNames? names) => new(shape, Table?.Categories(names?.Features) ?? []);

    /// <summary>Columns of features.</summary>
    /// <param name="sampleLength">Values of a sample.</param>
    internal int ColumnCount(int sampleLength) => Table?.Columns.Count ?? sampleLength;

    /// <summary>Turns a row of a table into a sample, as training saw it.</summary>
    /// <param name="row">[columns]: numbers, NaN for a gap, and ids of categories.</param>
    /// <param name="sample">[<see cref="SampleLength"/>]: overwritten.</param>
    /// <returns>The first column whose value has no 32-bit float, or the number of columns.</returns>
    internal int Encode(ReadOnlySpan<double> row, Span<float> sample)
    {
        if (Table is not null)
            return Table.Encode(row, sample);
        for (var column = 0; column < row.Length; column++)
        {
            var isGap = double.IsNaN(row[column]) && _means.Length > 0; // the mean takes its place
            sample[column] = isGap ? 0 : Apply(row[column], column);
            if (!float.IsFinite(sample[column]))
                return column;
        }

        return row.Length;
    }

    /// <summary>The number that a network sees of a raw value, as training saw it.</summary>
    /// <param name="value">The value as it is in the data: for bytes, from 0 to 255.</param>
    /// <param name="column">Which value of the sample it is.</param>
    internal float Apply(double value, int column)
    {
        if (ByteDivisor is { } divisor)
            return (float)value / divisor;
        return _means.Length == 0 ? (float)value : (float)((value - _means[column]) / _deviations[column]);
    }

    /// <summary>The numbers that a network sees of raw values, in the same bits.</summary>
    /// <param name="values">[n, values of a sample].</param>
    /// <param name="sampleLength">Values of a sample.</param>
    /// <param name="inputs">[n, values of a sample]; overwritten.</param>
    internal void Apply(ReadOnlySpan<float> values, int sampleLength, Span<float> inputs)
    {
        if (ByteDivisor is { } divisor)
        {
            Divide(values, divisor, inputs);
            return;
        }

        if (_means.Length == 0)
        {
            values.CopyTo(inputs);
            return;
        }

        for (var start = 0; start < values.Length; start += sampleLength)
        {
            for (var column = 0; column < sampleLength; column++)
                inputs[start + column] = (float)((values[start + column] - _means[column]) / _deviations[column]);
        }
    }

    private static void Divide(ReadOnlySpan<float> values, float divisor, Span<float> quotients)
    {
        var i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
            (new Vector<float>(values[i..]) / divisor).CopyTo(quotients[i..]);
        for (; i < values.Length; i++)
            quotients[i] = values[i] / divisor;
    }

    /// <summary>The compact JSON text that travels with models and to workers; <see cref="FromJson"/> reads it back exactly.</summary>
    public string ToJson() => PreprocessingJson.Write(this);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <param name="json">The text.</param>
    /// <param name="sourceName">Where it comes from, for the message of a refusal.</param>
    /// <exception cref="InputException">The text is not such a document.</exception>
    public static Preprocessing FromJson(string json, string sourceName) => PreprocessingJson.Read(json, sourceName);
}
