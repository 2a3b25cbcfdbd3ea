using Distributed.Data.Formats;
using Distributed.Data.Formats.Csv;
using Distributed.Data.Tables;

namespace Distributed.Data.Named;

/// <summary>
/// The embedded dataset: 1,797 handwritten digits of 8 x 8 values from 0 to 16 (E. Alpaydin and C. Kaynak, "Optical Recognition
/// of Handwritten Digits", UCI Machine Learning Repository, 1998, CC BY 4.0).
/// </summary>
internal static class Digits
{
    /// <summary>The name to ask for it by.</summary>
    public const string Name = "digits";

    /// <summary>Where it is.</summary>
    public const string Location = "embedded in the program";

    private const string Resource = "digits.csv.gz";
    private const int LargestValue = 16;
    private const int Classes = 10;

    /// <summary>The shape of each digit.</summary>
    public static SampleShape Shape { get; } = new(1, 8, 8);

    /// <summary>What is known without reading it.</summary>
    public static DatasetDescription Describe() =>
        new()
        {
            Name = Name,
            Summary = "handwritten digits",
            Shape = Shape,
            Classes = Classes,
            TrainSamples = 1438,
            TestSamples = 359,
            Location = Location,
            Remedy = null,
        };

    /// <summary>Reads it.</summary>
    /// <param name="fraction">The part of the training part that is held out; 0 for none.</param>
    public static Dataset Load(decimal fraction = 0) => Load(Workspace.InMemory, fraction);

    /// <summary>Reads it.</summary>
    /// <param name="workspace">Where it is to lie.</param>
    /// <param name="fraction">The part of the training part that is held out; 0 for none.</param>
    public static Dataset Load(Workspace workspace, decimal fraction = 0)
    {
        var options = new DataOptions { Header = false };
        var source = CsvSource.Of(Resource, FileContent.Decompress(Resource, Embedded()), hasDecimalCommas: false);
        var table = TableReader.ReadTraining(source, TableLayout.Detect(source, options), options, new RowSplit(HoldsTest: true));
        var features = new byte[table.RowCount * table.Columns.Count];
        for (var i = 0; i < features.Length; i++)
            features[i] = (byte)table.Columns[i % table.Columns.Count].Values[i / table.Columns.Count];
        var classNames = ByteDataset.NumberedClasses(Classes);
        var samples = new ByteSamples
        {
            Path = Resource,
            LabelsPath = Resource,
            Shape = Shape,
            Samples = new RecordSamples(
                table.Labels.IndicesIn(classNames, Name),
                [new BytesInMemory(features)],
                start: 0,
                Shape.Length,
                Shape.Length
            ),
            ClassNames = classNames,
            FirstLabelOffset = 0,
            LabelStride = 0,
        };
        return ByteDataset.Create(Name, Location, samples, test: null, LargestValue, workspace, fraction);
    }

    private static byte[] Embedded()
    {
        using var stream = typeof(Digits).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The resource {Resource} is not embedded.");
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}
