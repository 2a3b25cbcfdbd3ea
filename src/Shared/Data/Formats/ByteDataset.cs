using System.Globalization;

namespace Distributed.Data.Formats;

/// <summary>Makes datasets of samples whose values are bytes.</summary>
internal static class ByteDataset
{
    /// <summary>What image bytes are divided by, so that they become 0 to 1.</summary>
    public const float ImageDivisor = 255;

    /// <summary>Makes a dataset; without a test set, every fifth sample is held back.</summary>
    /// <param name="name">The dataset's name.</param>
    /// <param name="location">Where it was found.</param>
    /// <param name="train">The training set, or both sets.</param>
    /// <param name="test">The test set; or null.</param>
    /// <param name="divisor">What values are divided by.</param>
    /// <param name="workspace">Where the samples are to lie.</param>
    /// <param name="fraction">The part of the training part that is held out; 0 for none.</param>
    /// <param name="holdout">What is held out, where that is a set of its own.</param>
    /// <exception cref="InputException">The sets do not go together, or there are too few samples to split.</exception>
    public static Dataset Create(
        string name,
        string location,
        ByteSamples train,
        ByteSamples? test,
        float divisor,
        Workspace workspace,
        decimal fraction = 0,
        ByteSamples? holdout = null
    )
    {
        var classNames = train.ClassNames ?? NumberedClasses(Largest(train.Labels) + 1);
        train.RequireLabelsBelow(classNames.Count);
        RequireSameKind(train, test, "test", "--test", classNames.Count);
        RequireSameKind(train, holdout, "held-out", "--holdout", classNames.Count);

        var preprocessing = Preprocessing.Bytes(divisor);
        var decoder = new SampleDecoder(preprocessing, train.Shape);
        var all = Set(train);
        var split = new RowSplit(HoldsTest: test is null, fraction);
        split.RequireEnough(all.Count, train.Path);
        return new Dataset(
            name,
            location,
            train.Shape,
            classNames,
            preprocessing,
            split == new RowSplit(HoldsTest: false) ? Keep(DataPart.Train, train) : Rows(DataPart.Train),
            test is null ? Rows(DataPart.Test) : Keep(DataPart.Test, test),
            targets: null,
            holdout is not null ? Keep(DataPart.Holdout, holdout)
                : fraction > 0 ? Rows(DataPart.Holdout)
                : null
        );

        SampleSet Rows(DataPart part)
        {
            var rows = split.Rows(part, all.Count, workspace);
            return SampleSet.Store(decoder, new ChosenSamples(train.Path, all, rows), part, workspace);
        }

        SampleSet Keep(DataPart part, ByteSamples samples) => workspace.Keep(part, Set(samples));

        SampleSet Set(ByteSamples samples) => new(decoder, samples.Samples, targetWidth: 1);
    }

    /// <summary>Class names 0, 1, 2 and so on.</summary>
    public static IReadOnlyList<string> NumberedClasses(int count) =>
        [.. Enumerable.Range(0, count).Select(label => label.ToString(CultureInfo.InvariantCulture))];

    private static int Largest(ReadOnlySpan<int> labels)
    {
        var largest = 0;
        foreach (var label in labels)
            largest = Math.Max(largest, label);
        return largest;
    }

    private static void RequireSameKind(ByteSamples train, ByteSamples? other, string part, string option, int classes)
    {
        if (other is null)
            return;
        if (other.Shape != train.Shape)
        {
            throw FileErrors.In(
                other.Path,
                $"the {part} samples are {other.Shape}, but the training samples of {train.Path} are {train.Shape}"
            );
        }

        if (other.ClassNames is { } names && !names.SequenceEqual(train.ClassNames ?? names))
            throw FileErrors.In(other.Path, $"its classes are not those of {train.Path}; {option} needs the same kind of data");
        other.RequireLabelsBelow(classes);
    }
}
