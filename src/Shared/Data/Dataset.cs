using System.Data;
using System.Globalization;

namespace Distributed.Data;

/// <summary>
/// A complete, validated dataset: a training set and a test set of the same shape, with classes or numbers to predict.
/// </summary>
public sealed class Dataset
{
    internal Dataset(
        string name,
        string location,
        SampleShape shape,
        IReadOnlyList<string> classNames,
        Preprocessing preprocessing,
        SampleSet train,
        SampleSet test,
        NumericTargets? targets = null,
        SampleSet? holdout = null,
        string? sha256 = null
    )
    {
        Name = name;
        Location = location;
        Shape = shape;
        ClassNames = classNames;
        Preprocessing = preprocessing;
        Train = train;
        Test = test;
        Holdout = holdout;
        Targets = targets;
        Sha256 = sha256 ?? DatasetHash.Compute(this);
    }

    /// <summary>Opens a dataset by its name or path.</summary>
    /// <param name="data"><c>digits</c>, <c>fashion-mnist</c>, or the path of a file or folder.</param>
    /// <exception cref="InputException">It is missing or bad; the message names the file, the place, the reason and the remedy.</exception>
    public static Dataset Open(string data) => Open(new DataOptions { Data = data });

    /// <summary>Opens a dataset.</summary>
    /// <param name="options">Which one, and how to read it.</param>
    /// <param name="cancellation">Ends a download.</param>
    /// <exception cref="InputException">It is missing or bad; the message names the file, the place, the reason and the remedy.</exception>
    /// <exception cref="OperationCanceledException">A download was cancelled.</exception>
    public static Dataset Open(DataOptions options, CancellationToken cancellation = default)
    {
        DatasetLoader.RequireUndecided(options);
        return DatasetLoader.Load(options, cancellation);
    }

    /// <summary>Makes a dataset of arrays.</summary>
    /// <param name="features">The values of each sample, all of the same number.</param>
    /// <param name="labels">The class of each sample; classes are in ordinal order.</param>
    /// <param name="options">How to read them; null for the defaults.</param>
    /// <exception cref="ArgumentException">The arrays do not go together, or there are fewer than two classes.</exception>
    public static Dataset FromArrays(IReadOnlyList<float[]> features, IReadOnlyList<string> labels, ArrayOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(labels);
        string[] classNames = [.. labels.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        return ArrayDataset.Create(features, labels, classNames, options ?? new ArrayOptions());
    }

    /// <summary>Makes a dataset of arrays whose classes are numbers from 0.</summary>
    /// <param name="features">The values of each sample, all of the same number.</param>
    /// <param name="labels">The class of each sample, from 0 to the number of classes less 1.</param>
    /// <param name="options">How to read them; null for the defaults.</param>
    /// <exception cref="ArgumentException">The arrays do not go together, or there are fewer than two classes.</exception>
    public static Dataset FromArrays(IReadOnlyList<float[]> features, IReadOnlyList<int> labels, ArrayOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(labels);
        var classNames = Formats.ByteDataset.NumberedClasses(labels.DefaultIfEmpty(-1).Max() + 1);
        string[] names = [.. labels.Select(label => label.ToString(CultureInfo.InvariantCulture))];
        return ArrayDataset.Create(features, names, classNames, options ?? new ArrayOptions());
    }

    /// <summary>Makes a dataset of arrays with a number to predict for each sample.</summary>
    /// <param name="features">The values of each sample, all of the same number.</param>
    /// <param name="targets">The number of each sample.</param>
    /// <param name="options">How to read them; null for the defaults.</param>
    /// <exception cref="ArgumentException">The arrays do not go together.</exception>
    public static Dataset FromArrays(IReadOnlyList<float[]> features, IReadOnlyList<double> targets, ArrayOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(targets);
        return FromArrays(features, [.. targets.Select(target => new[] { target })], options);
    }

    /// <summary>Makes a dataset of arrays with one or several numbers to predict for each sample.</summary>
    /// <param name="features">The values of each sample, all of the same number.</param>
    /// <param name="targets">The numbers of each sample.</param>
    /// <param name="options">How to read them; null for the defaults.</param>
    /// <exception cref="ArgumentException">The arrays do not go together.</exception>
    public static Dataset FromArrays(IReadOnlyList<float[]> features, IReadOnlyList<double[]> targets, ArrayOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(targets);
        return ArrayDataset.Create(features, targets, options ?? new ArrayOptions());
    }

    /// <summary>
    /// Makes a dataset of objects, as a CSV file of the same values would make it: public properties of numbers, texts, enumerations and
    /// <see cref="bool"/> are the columns, null is a gap.
    /// </summary>
    /// <typeparam name="T">Their type.</typeparam>
    /// <param name="rows">The training set, or both sets.</param>
    /// <param name="options">What is said of the columns; the target is the last one unless <see cref="DataOptions.LabelColumn"/> names it.</param>
    /// <param name="test">A test set; null to hold back every fifth row.</param>
    /// <exception cref="ArgumentException">The type has no public properties, or an option is about files.</exception>
    /// <exception cref="InputException">A column or a value is bad; the message names column, row, reason and remedy.</exception>
    public static Dataset FromRows<T>(IEnumerable<T> rows, DataOptions? options = null, IEnumerable<T>? test = null)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return Tables.CodeRows.Create(
            Tables.CodeRows.Of(rows),
            test is null ? null : () => Tables.CodeRows.Of(test),
            options ?? new DataOptions()
        );
    }

    /// <summary>
    /// Makes a dataset of what a reader returns, such as that of a database query, as a CSV file of the same values would make it;
    /// <see cref="DBNull"/> is a gap. All rows are read, and the reader is left open.
    /// </summary>
    /// <param name="reader">The training set, or both sets.</param>
    /// <param name="options">What is said of the columns; the target is the last one unless <see cref="DataOptions.LabelColumn"/> names it.</param>
    /// <param name="test">A test set; null to hold back every fifth row.</param>
    /// <exception cref="ArgumentException">An option is about files.</exception>
    /// <exception cref="InputException">A column or a value is bad; the message names column, row, reason and remedy.</exception>
    public static Dataset FromReader(IDataReader reader, DataOptions? options = null, IDataReader? test = null)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return Tables.CodeRows.Create(
            Tables.CodeRows.Of(reader),
            test is null ? null : () => Tables.CodeRows.Of(test),
            options ?? new DataOptions()
        );
    }

    /// <summary>The dataset's name, or the name of its file or folder.</summary>
    public string Name { get; }

    /// <summary>Where it was found.</summary>
    public string Location { get; }

    /// <summary>What it was opened by; null for arrays and rows, which nobody else can open.</summary>
    internal DataOptions? Source { get; set; }

    /// <summary>The shape of each sample.</summary>
    public SampleShape Shape { get; }

    /// <summary>What a sample is made of.</summary>
    internal InputColumns Inputs => Preprocessing.Inputs(Shape, Columns);

    /// <summary>Whether classes or numbers are to be predicted.</summary>
    public LearningTask Task => Targets is null ? LearningTask.Classification : LearningTask.Regression;

    /// <summary>The names of the classes; a label is an index into them. None where numbers are to be predicted.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>The numbers that are to be predicted; null where classes are.</summary>
    public NumericTargets? Targets { get; }

    /// <summary>The names of the columns, or null if they have none.</summary>
    public ColumnNames? Columns { get; init; }

    /// <summary>What was found out about the columns of a table; null where there are none, or nobody has asked for it.</summary>
    internal Tables.TableReport? Report { get; init; }

    /// <summary>Whether the target of each sample is followed by what its loss counts for in training.</summary>
    internal bool HasWeights => Train.TargetWidth > (Targets?.Count ?? 1);

    /// <summary>Values that a model of the data puts out for a sample: one for each class, or each number.</summary>
    public int OutputWidth => Targets?.Count ?? ClassNames.Count;

    /// <summary>How stored values become the numbers a network sees.</summary>
    public Preprocessing Preprocessing { get; }

    /// <summary>What is trained on.</summary>
    public SampleSet Train { get; }

    /// <summary>What is held back to measure the model.</summary>
    public SampleSet Test { get; }

    /// <summary>What judges the training while it goes on; null for nothing.</summary>
    public SampleSet? Holdout { get; }

    /// <summary>A part that is there.</summary>
    internal SampleSet Part(DataPart part) =>
        part switch
        {
            DataPart.Train => Train,
            DataPart.Test => Test,
            _ => Holdout ?? throw new InvalidOperationException("nothing is held out"),
        };

    /// <summary>
    /// SHA-256, in lower-case hexadecimal, of all that can influence a result: shape, classes, preprocessing, targets and features
    /// of all sets. Names, paths and compression do not count. <see cref="DatasetHash"/> gives the byte order.
    /// </summary>
    public string Sha256 { get; }
}
