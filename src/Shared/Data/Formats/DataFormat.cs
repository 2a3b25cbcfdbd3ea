using Distributed.Data.Formats.Csv;
using Distributed.Data.Formats.Idx;
using Distributed.Data.Formats.Parquet;

namespace Distributed.Data.Formats;

/// <summary>A format of data files. <see cref="All"/> are asked in turn which one recognizes a path.</summary>
internal abstract class DataFormat
{
    /// <summary>The formats, in the order in which they are asked; a new one is a file and a line here.</summary>
    public static IReadOnlyList<DataFormat> All { get; } =
    [new PackFormat(), new IdxFormat(), new CifarFormat(), new ParquetFormat(), new CsvFormat()];

    /// <summary>The formats as messages and help list them: <c>.., .. or ..</c>.</summary>
    public static string Summaries => $"{string.Join(", ", All.Take(All.Count - 1).Select(format => format.Summary))} or {All[^1].Summary}";

    /// <summary>What can be read, as <see cref="Summaries"/> name it, such as <c>an IDX pair</c>.</summary>
    public abstract string Summary { get; }

    /// <summary>Whether samples are rows of columns, which options may name.</summary>
    public virtual bool HasColumns => false;

    /// <summary>Whether the samples of files are rows of a table, for which other models are usual.</summary>
    /// <exception cref="InputException">That cannot be read.</exception>
    public virtual bool IsTable(DataFiles files) => HasColumns;

    /// <summary>The dataset that files hold with both its sets, fitted and split; null where reading does that.</summary>
    /// <exception cref="InputException">A file is bad.</exception>
    public virtual Dataset? Complete(DataFiles files) => null;

    /// <summary>Whether sets, columns and scaling were decided when the files were written, so that no option has a say in them.</summary>
    public virtual bool IsDecided => false;

    /// <summary>Whether columns have names and types of their own, so that nothing need be said of them.</summary>
    public virtual bool HasColumnNames => false;

    /// <summary>Training files by whose names a folder is recognized, for messages; none if a folder cannot hold the format.</summary>
    public virtual IReadOnlyList<string> FolderNames => [];

    /// <summary>Whether a file is of this format: by its content where that tells, else by its name.</summary>
    /// <param name="file">The file.</param>
    public abstract bool Recognizes(DataFile file);

    /// <summary>The files of the training set in a folder; none if there is none of this format.</summary>
    public virtual IReadOnlyList<string> FindTrain(string folder) => [];

    /// <summary>The files of the test set in a folder; none if there is none of this format.</summary>
    public virtual IReadOnlyList<string> FindTest(string folder) => [];

    /// <summary>Reads a dataset.</summary>
    /// <param name="name">The dataset's name.</param>
    /// <param name="train">The training set, of this format, or both sets.</param>
    /// <param name="test">The test set, perhaps of another format; null to hold back every fifth sample.</param>
    /// <param name="options">How to read.</param>
    /// <exception cref="InputException">A file is bad, or the two sets do not go together.</exception>
    public abstract Dataset Read(string name, DataFiles train, DataFiles? test, DataOptions options);

    /// <summary>Reads samples to predict, with or without their targets.</summary>
    /// <param name="files">The samples, of this format.</param>
    /// <param name="inputs">What the model takes.</param>
    /// <param name="options">How to read.</param>
    /// <exception cref="InputException">A file is bad, or is not what the model takes.</exception>
    public abstract RawSamples ReadInputs(DataFiles files, ModelInputs inputs, DataOptions options);

    /// <summary>Reads samples with their labels to measure a model by.</summary>
    /// <param name="files">The samples, of this format.</param>
    /// <param name="inputs">What the model takes.</param>
    /// <param name="classNames">Its classes; the samples need not show all of them.</param>
    /// <param name="options">How to read.</param>
    /// <returns>All samples, in the order and scaling of the model's inputs, with its classes as targets.</returns>
    /// <exception cref="InputException">A file is bad, is not what the model takes, or has a class that it does not know.</exception>
    public abstract SampleSet ReadLabelled(DataFiles files, ModelInputs inputs, IReadOnlyList<string> classNames, DataOptions options);
}
