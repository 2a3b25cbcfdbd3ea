using Distributed.Data.Formats.Csv;
using Distributed.Data.Tables;
using Parquet;
using Parquet.Schema;

namespace Distributed.Data.Formats.Parquet;

/// <summary>A row group of an open file.</summary>
/// <param name="file">The file.</param>
/// <param name="index">Which group it is, for messages.</param>
/// <param name="group">The group.</param>
internal sealed class ParquetBlock(ParquetFile file, int index, ParquetRowGroupReader group) : TypedBlock
{
    /// <inheritdoc />
    public override int RowCount => file.Groups[index];

    /// <inheritdoc />
    public override double[] Numbers(int column) => Read(column, field => CellTypes.Visit(field.ClrType, new NumberReader(this, field)));

    /// <inheritdoc />
    public override string?[] Texts(int column) => Read(column, field =>
        {
            if (ParquetFile.TypeOf(field) != typeof(string))
                return CellTypes.Visit(field.ClrType, new TextReader(this, field));
            var texts = new string?[RowCount];
            group.ReadAsync(field, texts.AsMemory()).AsTask().GetAwaiter().GetResult();
            return texts;
        });

    private T Read<T>(int column, Func<DataField, T> read)
    {
        var field = (DataField)file.Columns[column];
        return ParquetFile.Refusing(file.Path, $"row group {index}: column '{CsvText.Shorten(field.Name)}'", () => read(field));
    }

    /// <summary>[rows], the values of a column; null for a gap.</summary>
    private T?[] ReadNullable<T>(DataField field)
        where T : struct
    {
        var values = new T?[RowCount];
        if (field.IsNullable)
        {
            group.ReadAsync(field, values.AsMemory()).AsTask().GetAwaiter().GetResult();
            return values;
        }

        var present = new T[RowCount];
        group.ReadAsync(field, present.AsMemory()).AsTask().GetAwaiter().GetResult();
        return Array.ConvertAll(present, value => (T?)value);
    }

    private sealed class NumberReader(ParquetBlock block, DataField field) : CellTypes.IVisitor<double[]>
    {
        public double[] Visit<T>()
            where T : struct =>
            Array.ConvertAll(block.ReadNullable<T>(field), value => value is { } number ? CellTypes.ToNumber(number) : double.NaN);
    }

    private sealed class TextReader(ParquetBlock block, DataField field) : CellTypes.IVisitor<string?[]>
    {
        public string?[] Visit<T>()
            where T : struct =>
            Array.ConvertAll(block.ReadNullable<T>(field), value => value is { } number ? CellTypes.ToText(number) : null);
    }
}
