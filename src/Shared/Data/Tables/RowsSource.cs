namespace Distributed.Data.Tables;

/// <summary>A table of rows from code, which are kept column by column, since they may come only once.</summary>
internal sealed class RowsSource : TypedSource
{
    /// <summary>What messages call it.</summary>
    public const string Name = "rows";

    private readonly Type[] _types;
    private readonly CellList[] _columns;
    private int _rows;

    /// <summary>A table that is still without rows.</summary>
    /// <param name="columns">The names and types of its columns; values may be null or <see cref="DBNull"/>.</param>
    public RowsSource(IReadOnlyList<(string Name, Type Type)> columns)
    {
        FirstRow = [.. columns.Select(column => column.Name)];
        _types = [.. columns.Select(column => Nullable.GetUnderlyingType(column.Type) ?? column.Type)];
        _columns = [.. columns.Zip(_types, (column, type) => CellList.Of(column.Name, type))];
        Places = RowPlaces.OfRows(Name);
    }

    /// <inheritdoc />
    public override string Path => Name;

    /// <inheritdoc />
    public override string[] FirstRow { get; }

    /// <inheritdoc />
    public override RowPlaces Places { get; }

    /// <inheritdoc />
    protected override IEnumerable<Type> TypesOf(int column) => [_types[column]];

    /// <inheritdoc />
    protected override int RowCount => _rows;

    /// <summary>Adds a row.</summary>
    /// <param name="value">Gives the value of a column.</param>
    /// <exception cref="InputException">A value is not of its column's type.</exception>
    public void Add(Func<int, object?> value)
    {
        for (var column = 0; column < _columns.Length; column++)
            _columns[column].Add(value(column) is var cell and not DBNull ? cell : null, Places, _rows);
        _rows++;
    }

    /// <inheritdoc />
    protected override IEnumerable<TypedBlock> Blocks() => [new Block(_rows, _columns)];

    private sealed class Block(int rows, CellList[] columns) : TypedBlock
    {
        public override int RowCount => rows;

        public override double[] Numbers(int column) => columns[column].Numbers();

        public override string?[] Texts(int column) => columns[column].Texts();
    }

    /// <summary>The values of a column.</summary>
    private abstract class CellList
    {
        public abstract void Add(object? value, RowPlaces places, int row);

        public abstract double[] Numbers();

        public abstract string?[] Texts();

        public static CellList Of(string name, Type type) =>
            CellTypes.Refusal(type) is not null ? new UnreadList()
            : type == typeof(string) || type.IsEnum ? new TextList()
            : CellTypes.Visit(type, new Maker(name));

        private sealed class Maker(string name) : CellTypes.IVisitor<CellList>
        {
            public CellList Visit<T>()
                where T : struct => new CellList<T>(name);
        }
    }

    private sealed class CellList<T>(string name) : CellList
        where T : struct
    {
        private readonly List<T?> _values = [];

        public override void Add(object? value, RowPlaces places, int row) =>
            _values.Add(
                value switch
                {
                    null => null,
                    T cell => cell,
                    _ => throw places.Refuse(
                        row,
                        $"column '{Formats.Csv.CsvText.Shorten(name)}': a value is a {value.GetType().Name}, but its type is {typeof(T).Name}; cast it where the rows come from"
                    ),
                }
            );

        public override double[] Numbers() => [.. _values.Select(value => value is { } number ? CellTypes.ToNumber(number) : double.NaN)];

        public override string?[] Texts() => [.. _values.Select(value => value is { } cell ? CellTypes.ToText(cell) : null)];
    }

    private sealed class TextList : CellList
    {
        private readonly List<string?> _texts = [];

        public override void Add(object? value, RowPlaces places, int row) => _texts.Add(value?.ToString());

        public override double[] Numbers() => throw new InvalidOperationException("Texts are no numbers.");

        public override string?[] Texts() => [.. _texts];
    }

    /// <summary>A column that is left out, or refused as soon as it is read.</summary>
    private sealed class UnreadList : CellList
    {
        public override void Add(object? value, RowPlaces places, int row) { }

        public override double[] Numbers() => throw new InvalidOperationException("The column is not read.");

        public override string?[] Texts() => throw new InvalidOperationException("The column is not read.");
    }
}
