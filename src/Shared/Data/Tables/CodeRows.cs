using System.Data;
using System.Reflection;

namespace Distributed.Data.Tables;

/// <summary>Turns what programs have in rows into a table.</summary>
internal static class CodeRows
{
    /// <summary>Makes a dataset.</summary>
    /// <param name="train">The training set, or both sets.</param>
    /// <param name="test">Makes the test set; null to hold back every fifth row.</param>
    /// <param name="options">What is said of the columns.</param>
    /// <exception cref="ArgumentException">An option is about files.</exception>
    /// <exception cref="InputException">The rows are bad, or it takes a person to tell what a column holds.</exception>
    public static Dataset Create(TableSource train, Func<TableSource>? test, DataOptions options)
    {
        var option =
            options.Test is not null ? nameof(DataOptions.Test)
            : Holdout.Of(options)?.Path is not null ? nameof(DataOptions.Holdout)
            : options.Header is not null ? nameof(DataOptions.Header)
            : options.DecimalComma ? nameof(DataOptions.DecimalComma)
            : null;
        return option is null
            ? TableDataset.Create(RowsSource.Name, train, options, test)
            : throw new ArgumentException($"{option} is about files; leave it out for rows", nameof(options));
    }

    /// <summary>The rows that a reader still has; it is left open.</summary>
    public static RowsSource Of(IDataReader reader)
    {
        var rows = new RowsSource([
            .. Enumerable.Range(0, reader.FieldCount).Select(column => (reader.GetName(column), reader.GetFieldType(column))),
        ]);
        while (reader.Read())
            rows.Add(reader.GetValue);
        return rows;
    }

    /// <summary>Objects, whose public properties are the columns: those of base types first, each in the order of declaration.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static RowsSource Of<T>(IEnumerable<T> objects)
    {
        var properties = PropertiesOf(typeof(T));
        if (properties.Length == 0)
            throw new ArgumentException($"{typeof(T).Name} has no public properties, which would be the columns", nameof(objects));
        var rows = new RowsSource([.. properties.Select(property => (property.Name, property.PropertyType))]);
        foreach (var one in objects)
        {
            if (one is null)
                throw new ArgumentException("a row is null", nameof(objects));
            rows.Add(column => properties[column].GetValue(one));
        }

        return rows;
    }

    private static PropertyInfo[] PropertiesOf(Type type) =>
        [
            .. type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
                .Where(property => property.GetMethod is { IsPublic: true } && property.GetIndexParameters().Length == 0)
                .OrderBy(property => DepthOf(property.DeclaringType!))
                .ThenBy(property => property.MetadataToken),
        ];

    private static int DepthOf(Type type) => type.BaseType is { } ancestor ? DepthOf(ancestor) + 1 : 0;
}
