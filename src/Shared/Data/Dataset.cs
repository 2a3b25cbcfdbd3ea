namespace Distributed.Data;

/// <summary>A complete, validated dataset for classification: a training set and a test set of the same shape and classes.</summary>
public sealed class Dataset
{
    internal Dataset(
        string name,
        string location,
        SampleShape shape,
        IReadOnlyList<string> classNames,
        Preprocessing preprocessing,
        SampleSet train,
        SampleSet test
    )
    {
        Name = name;
        Location = location;
        Shape = shape;
        ClassNames = classNames;
        Preprocessing = preprocessing;
        Train = train;
        Test = test;
        Sha256 = DatasetHash.Compute(this);
    }

    /// <summary>The dataset's name, or the name of its file or folder.</summary>
    public string Name { get; }

    /// <summary>Where it was found.</summary>
    public string Location { get; }

    /// <summary>The shape of each sample.</summary>
    public SampleShape Shape { get; }

    /// <summary>The names of the classes; a label is an index into them.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>The names of the columns, or null if they have none.</summary>
    public ColumnNames? Columns { get; init; }

    /// <summary>Values that a model of the data puts out for a sample: one for each class.</summary>
    public int OutputWidth => ClassNames.Count;

    /// <summary>How stored values become the numbers a network sees.</summary>
    public Preprocessing Preprocessing { get; }

    /// <summary>What is trained on.</summary>
    public SampleSet Train { get; }

    /// <summary>What is held back to measure the model.</summary>
    public SampleSet Test { get; }

    /// <summary>
    /// SHA-256, in lower-case hexadecimal, of all that can influence a result: shape, classes, preprocessing, labels and features
    /// of both sets. Names, paths and compression do not count. <see cref="DatasetHash"/> gives the byte order.
    /// </summary>
    public string Sha256 { get; }
}
