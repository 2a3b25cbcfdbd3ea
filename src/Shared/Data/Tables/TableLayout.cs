using System.Globalization;
using Distributed.Data.Formats.Csv;

namespace Distributed.Data.Tables;

/// <summary>The columns of a table: how many, which ones hold the labels, and what they are called.</summary>
internal sealed class TableLayout
{
    private readonly string[] _firstRow;
    private readonly int[] _featureOf; // [columns]: -1 for labels and what is left out
    private readonly int[] _labelOf; // [columns]: -1 for all but labels

    private TableLayout(string[] firstRow, bool hasHeader, IReadOnlyList<int> labels, IReadOnlyList<int> features, int weightIndex = -1)
    {
        _firstRow = firstRow;
        HasHeader = hasHeader;
        Labels = labels;
        WeightIndex = weightIndex;
        Features = features;
        _featureOf = Enumerable.Repeat(-1, firstRow.Length).ToArray();
        foreach (var (feature, column) in features.Index())
            _featureOf[column] = feature;
        _labelOf = Enumerable.Repeat(-1, firstRow.Length).ToArray();
        foreach (var (label, column) in labels.Index())
            _labelOf[column] = label;
    }

    /// <summary>Whether the first row names the columns.</summary>
    public bool HasHeader { get; }

    /// <summary>The columns of the labels, from 0: one, or several where numbers are predicted; empty if there are none.</summary>
    public IReadOnlyList<int> Labels { get; }

    /// <summary>The column of a training set that says how much each sample counts, from 0; -1 if all count alike.</summary>
    public int WeightIndex { get; }

    /// <summary>Number of columns, those that are left out included.</summary>
    public int ColumnCount => _firstRow.Length;

    /// <summary>The columns that are features, in the order in which they are taken.</summary>
    public IReadOnlyList<int> Features { get; }

    /// <summary>
    /// The names of the columns; null if there are none, or if the labels and a feature both have an empty one, so that they cannot be
    /// told apart by name.
    /// </summary>
    public ColumnNames? Names =>
        HasHeader && TargetTwin() is null
            ? new ColumnNames([.. Features.Select(column => _firstRow[column])], _firstRow[Labels[0]])
            {
                Targets = [.. Labels.Select(column => _firstRow[column])],
                Ignored = [.. _firstRow.Where((_, column) => _labelOf[column] < 0 && _featureOf[column] < 0)],
            }
            : null;

    /// <summary>The feature that a column holds, or -1.</summary>
    public int FeatureOf(int column) => _featureOf[column];

    /// <summary>The place among the labels of a column, or -1.</summary>
    public int LabelOf(int column) => _labelOf[column];

    /// <summary>Reads the layout off the first row.</summary>
    /// <param name="source">The table.</param>
    /// <param name="options">What is said of the columns.</param>
    /// <exception cref="InputException">There is no such column, there are too few, or it takes a person to tell.</exception>
    public static TableLayout Detect(TableSource source, DataOptions options)
    {
        var firstRow = source.FirstRow;
        if (firstRow.Length < 2)
            throw source.RefuseSingleColumn();

        var (labels, hasHeader) = FindAllLabels(source, firstRow, options.LabelColumn, options.Header);
        if (options.Header is null && !hasHeader)
            source.RequireNoHeader(labels[0]);
        var ignored = Find(source.Path, firstRow, hasHeader, options.Ignore, "--ignore");
        foreach (var label in labels.Where(ignored.Contains))
            throw FileErrors.In(source.Path, $"--ignore leaves out column '{CsvText.Shorten(firstRow[label])}', which holds the labels");
        var weightIndex = FindWeights(source.Path, firstRow, hasHeader, options.WeightColumn);
        if (labels.Contains(weightIndex))
        {
            throw FileErrors.In(
                source.Path,
                $"--weight-column names column '{CsvText.Shorten(firstRow[weightIndex])}', which holds the labels; name these with --label-column"
            );
        }

        int[] features =
        [
            .. Enumerable
                .Range(0, firstRow.Length)
                .Where(column => !labels.Contains(column) && column != weightIndex && !ignored.Contains(column)),
        ];
        if (features.Length == 0)
            throw FileErrors.In(source.Path, $"{(ignored.Count > 0 ? "--ignore" : "--weight-column")} leaves no column to learn from");
        var layout = new TableLayout(firstRow, hasHeader, labels, features, weightIndex);
        layout.RequireTargetOnce(source.Path);
        return layout;
    }

    /// <summary>What is said of the kinds of the features.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">What is said.</param>
    /// <returns>[features]: null where that is to be found out.</returns>
    /// <exception cref="InputException">There is no such column, or it is said to be two things.</exception>
    public ColumnKind?[] Kinds(string path, DataOptions options)
    {
        var kinds = new ColumnKind?[Features.Count];
        Set(ColumnKind.Category, options.Categorical, "--categorical");
        Set(ColumnKind.Number, options.Numeric, "--numeric");
        return kinds;

        void Set(ColumnKind kind, string? list, string option)
        {
            foreach (var column in Find(path, _firstRow, HasHeader, list, option))
            {
                var feature = _featureOf[column];
                if (feature < 0)
                    throw FileErrors.In(path, $"{option} names {Describe(column)}, which is no feature; leave it out there");
                if (kinds[feature] is not null && kinds[feature] != kind)
                    throw FileErrors.In(path, $"{Describe(column)} stands in --categorical and in --numeric; leave it out in one");
                kinds[feature] = kind;
            }
        }
    }

    /// <summary>
    /// The layout of a file that goes with a model or with training data: columns are found by their names where both sides have names,
    /// else by their order. The column of the labels may be there or not.
    /// </summary>
    /// <param name="source">The table.</param>
    /// <param name="columns">What the other side has.</param>
    /// <param name="options">
    /// What is said of the columns; without a column of the labels it is the other side's own or the last one.
    /// </param>
    /// <exception cref="InputException">The columns are not those of the other side.</exception>
    public static TableLayout Matching(TableSource source, TableColumns columns, DataOptions options)
    {
        var firstRow = source.FirstRow;
        var most = columns.FeatureCount + columns.TargetCount;
        var labels = firstRow.Length == most ? columns.WithoutWeights().LabelIndices?[0] ?? columns.FeatureCount : -1;
        var hasHeader = options.Header ?? (IsNamed(source.Dialect, firstRow, columns.Names) || source.HasHeader(labels));
        var ignored = Find(source.Path, firstRow, hasHeader, options.Ignore, "--ignore");
        if (firstRow.Length - ignored.Count <= most)
            columns = columns.WithoutWeights();
        else if (options.WeightColumn is { } weights)
            ignored.AddRange(FindAll(firstRow, hasHeader, weights));
        return hasHeader && columns.Names is not null
            ? ByName(source, firstRow, columns, columns.Names, options.LabelColumn, ignored)
            : ByOrder(source, firstRow, hasHeader, columns, options.LabelColumn, ignored);
    }

    /// <summary>Refuses a file without labels.</summary>
    /// <exception cref="InputException">It has none.</exception>
    public void RequireLabels(string path, TableColumns columns)
    {
        if (Labels.Count > 0)
            return;
        var name = HasHeader && columns.Names is { } names ? $"column '{CsvText.Shorten(string.Join("', '", names.Targets))}'" : "column";
        throw FileErrors.In(path, $"there is no {name} of labels besides the features; name it with --label-column");
    }

    /// <summary>A column as messages name it.</summary>
    public string Describe(int column) =>
        HasHeader ? $"column '{CsvText.Shorten(_firstRow[column])}'" : $"column {column} (the first is 0)";

    /// <summary>Whether a first row names columns: with a name that is no number, or with all of them.</summary>
    private static bool IsNamed(CsvDialect dialect, string[] firstRow, ColumnNames? names) =>
        names is not null
        && (
            names.Features.Any(name => name.Length > 0 && !dialect.IsNumber(name) && firstRow.Contains(name))
            || names.Features.All(firstRow.Contains)
        );

    private static TableLayout ByName(
        TableSource source,
        string[] firstRow,
        TableColumns columns,
        ColumnNames names,
        string? labelColumn,
        List<int> ignored
    )
    {
        var labels = LabelsByName(source, firstRow, names, labelColumn);
        // Columns of one name are told apart by their order alone.
        var isTaken = new bool[firstRow.Length];
        var places = new int[names.Features.Count];
        for (var feature = 0; feature < places.Length; feature++)
        {
            var name = names.Features[feature];
            places[feature] = Array.FindIndex([.. firstRow.Zip(isTaken)], column => column.First == name && !column.Second);
            if (places[feature] < 0)
                throw FileErrors.In(source.Path, $"there is no column '{CsvText.Shorten(name)}', which {columns.Owner} {columns.Verb}");
            isTaken[places[feature]] = true;
        }

        var known = names.Targets.Count > 1 ? names.Ignored.Concat(names.Targets).ToHashSet() : names.Ignored.ToHashSet();
        var extra = Array.FindIndex([.. isTaken.Index()], column =>
            !column.Item && !labels.Contains(column.Index) && !ignored.Contains(column.Index) && !known.Contains(firstRow[column.Index])
        );
        if (extra >= 0)
        {
            throw FileErrors.In(
                source.Path,
                $"column '{CsvText.Shorten(firstRow[extra])}' is none that {columns.Owner} {columns.Verb}; "
                    + "leave it out with --ignore, or name the column of the targets with --label-column"
            );
        }

        return new TableLayout(firstRow, hasHeader: true, labels, places);
    }

    /// <summary>
    /// The columns of the labels: those that an option names, unless that is a feature by name, as the index is where columns have
    /// another order.
    /// </summary>
    private static int[] LabelsByName(TableSource source, string[] firstRow, ColumnNames names, string? labelColumn)
    {
        var path = source.Path;
        var targets = names.Targets.Select(name => LabelByName(path, firstRow, name)).ToArray();
        var byOption = labelColumn is null ? [] : FindAllLabels(source, firstRow, labelColumn, header: true).Indices;
        var isOption =
            byOption.Length == targets.Length
            && (targets.Contains(-1) || !byOption.Any(column => names.Features.Contains(firstRow[column])));
        return isOption ? byOption
            : targets.Contains(-1) ? []
            : targets;
    }

    private static int LabelByName(string path, string[] firstRow, string name)
    {
        int[] found = [.. firstRow.Index().Where(column => column.Item == name).Select(column => column.Index)];
        return found.Length < 2 ? found.DefaultIfEmpty(-1).Single() : throw Twice(path, name, found);
    }

    private static TableLayout ByOrder(
        TableSource source,
        string[] firstRow,
        bool hasHeader,
        TableColumns columns,
        string? labelColumn,
        List<int> ignored
    )
    {
        var (features, targets) = (columns.FeatureCount, columns.TargetCount);
        int[] taken = [.. Enumerable.Range(0, firstRow.Length).Where(column => !ignored.Contains(column))];
        if (columns.LabelIndices is not null && taken.Length != features + targets)
            throw FileErrors.In(source.Path, $"{taken.Length} columns, but {columns.Owner} {columns.Verb} {features + targets}");
        var labels = taken.Length == features + targets ? columns.LabelIndices ?? taken[^targets..] : [];
        if (labelColumn is not null)
            labels = FindAllLabels(source, firstRow, labelColumn, hasHeader).Indices;
        int[] places = [.. taken.Except(labels)];
        if (places.Length == features && (labels.Count == 0 || labels.Count == targets))
            return new TableLayout(firstRow, hasHeader, labels, places);
        throw FileErrors.In(
            source.Path,
            $"a row has {places.Length} features, {columns.Owner} {columns.Verb} {features}, with or without "
                + (targets == 1 ? "a column of targets" : $"{targets} columns of targets")
        );
    }

    /// <summary>The columns that an option lists, each by its name or else by its index.</summary>
    private static List<int> Find(string path, string[] firstRow, bool hasHeader, string? list, string option)
    {
        List<int> columns = [];
        foreach (var name in list is null ? [] : NameList.Parse(list))
        {
            var found = FindAll(firstRow, hasHeader, name);
            columns.AddRange(found.Length > 0 ? found : throw NoColumn(path, firstRow, name, hasHeader, option));
        }

        return columns;
    }

    /// <summary>The columns of a name, or else the one of an index.</summary>
    private static int[] FindAll(string[] firstRow, bool hasHeader, string name)
    {
        int[] named = hasHeader ? [.. firstRow.Index().Where(column => column.Item == name).Select(column => column.Index)] : [];
        return named.Length == 0 && ParseIndex(name) is { } index && index < firstRow.Length ? [index] : named;
    }

    /// <summary>The column of the weights, or -1.</summary>
    private static int FindWeights(string path, string[] firstRow, bool hasHeader, string? name)
    {
        const string option = "--weight-column";
        if (name is null)
            return -1;
        return FindAll(firstRow, hasHeader, name) switch
        {
            [] => throw NoColumn(path, firstRow, name, hasHeader, option),
            [var column] => column,
            var several => throw FileErrors.In(
                path,
                $"'{CsvText.Shorten(name)}' is the name of columns {string.Join(" and ", several)} (the first is 0); name one of them by its index for {option}"
            ),
        };
    }

    /// <summary>
    /// The columns of the labels, and whether the first row names the columns. An option may list several; what is the name of one column
    /// as a whole is no list.
    /// </summary>
    private static (int[] Indices, bool HasHeader) FindAllLabels(TableSource source, string[] firstRow, string? labelColumn, bool? header)
    {
        IReadOnlyList<string?> names =
            labelColumn is null || (header != false && firstRow.Contains(labelColumn)) ? [labelColumn] : [.. NameList.Parse(labelColumn)];
        var found = new List<(int Index, bool HasHeader)>();
        foreach (var name in names)
            found.Add(FindLabels(source, firstRow, name, header));
        int[] indices = [.. found.Select(label => label.Index)];
        var twice = indices.GroupBy(column => column).FirstOrDefault(columns => columns.Count() > 1);
        return twice is null
            ? (indices, found.Exists(label => label.HasHeader))
            : throw FileErrors.In(source.Path, $"--label-column {labelColumn} names column '{CsvText.Shorten(firstRow[twice.Key])}' twice");
    }

    /// <summary>The column of the labels, and whether the first row names the columns. A name counts before an index.</summary>
    private static (int Index, bool HasHeader) FindLabels(TableSource source, string[] firstRow, string? labelColumn, bool? header)
    {
        if (labelColumn is null)
            return (firstRow.Length - 1, header ?? source.HasHeader(firstRow.Length - 1));
        int[] named = [.. firstRow.Index().Where(column => header != false && column.Item == labelColumn).Select(column => column.Index)];
        if (ParseIndex(labelColumn) is not { } index || index >= firstRow.Length)
        {
            return named.Length switch
            {
                0 => throw NoColumn(source.Path, firstRow, labelColumn, header, "--label-column"),
                1 => (named[0], true),
                _ => throw Twice(source.Path, labelColumn, named),
            };
        }

        var hasHeader = header ?? source.HasHeader(index);
        foreach (var column in named)
        {
            if (column != index && (hasHeader || source.HasHeader(column)))
                throw Ambiguous(source.Path, firstRow, labelColumn, index, column);
        }

        return (index, hasHeader);
    }

    private static int? ParseIndex(string labelColumn) =>
        int.TryParse(labelColumn, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : null;

    private static InputException NoColumn(string path, string[] firstRow, string column, bool? header, string option)
    {
        var names = header == false ? "" : $" or a name of the first row ({CsvText.Shorten(string.Join(", ", firstRow))})";
        return FileErrors.In(
            path,
            $"there is no column '{CsvText.Shorten(column)}'; {option} takes an index from 0 to {firstRow.Length - 1}{names}"
        );
    }

    private static InputException Ambiguous(string path, string[] firstRow, string labelColumn, int index, int named) =>
        FileErrors.In(
            path,
            $"--label-column {labelColumn} is the index of column '{CsvText.Shorten(firstRow[index])}' and the name of column {named}; "
                + $"say '{CsvText.Shorten(firstRow[index])}' or {named}"
        );

    private static InputException Twice(string path, string name, IEnumerable<int> columns) =>
        FileErrors.In(
            path,
            $"'{CsvText.Shorten(name)}' is the name of columns {string.Join(" and ", columns)} (the first is 0), "
                + "of which one holds the labels; drop or rename the others"
        );

    /// <summary>Refuses a feature of the target's name, which would most likely tell a model its answers.</summary>
    private void RequireTargetOnce(string path)
    {
        if (HasHeader && TargetTwin() is var (label, twin) && _firstRow[label].Length > 0)
            throw Twice(path, _firstRow[label], new[] { label, twin }.Order());
    }

    /// <summary>A column of labels and another one of its name; null if there are none.</summary>
    private (int Label, int Twin)? TargetTwin()
    {
        foreach (var label in Labels)
        {
            var twin = Array.FindIndex([.. _firstRow.Index()], column => column.Index != label && column.Item == _firstRow[label]);
            if (twin >= 0)
                return (label, twin);
        }

        return null;
    }
}
