using System.Globalization;

namespace Distributed.Data.Formats;

/// <summary>Makes datasets of samples whose values are bytes.</summary>
internal static class ByteDataset
{
    /// <summary>What image bytes are divided by, so that they become 0 to 1.</summary>
    public const float ImageDivisor = 255;

    /// <summary>Makes a dataset; without a test set, every fifth sample is held back.</summary>
    /// <exception cref="InputException">The two sets do not go together, or there are too few samples to split.</exception>
    public static Dataset Create(string name, string location, ByteSamples train, ByteSamples? test, float divisor)
    {
        var classNames = train.ClassNames ?? NumberedClasses(train.Labels.Max() + 1);
        train.RequireLabelsBelow(classNames.Count);
        if (test is not null)
            RequireSameKind(train, test, classNames.Count);

        var preprocessing = Preprocessing.Bytes(divisor);
        var decoder = new SampleDecoder(preprocessing, train.Shape);
        var all = new SampleSet(decoder, train.Labels, train.Features);
        var (trainSet, testSet) = test is null
            ? TestSplit.EveryFifth(all, train.Path)
            : (all, new SampleSet(decoder, test.Labels, test.Features));
        return new Dataset(name, location, train.Shape, classNames, preprocessing, trainSet, testSet);
    }

    /// <summary>Class names 0, 1, 2 and so on.</summary>
    public static IReadOnlyList<string> NumberedClasses(int count) =>
        [.. Enumerable.Range(0, count).Select(label => label.ToString(CultureInfo.InvariantCulture))];

    private static void RequireSameKind(ByteSamples train, ByteSamples test, int classes)
    {
        if (test.Shape != train.Shape)
        {
            throw FileErrors.In(
                test.Path,
                $"the test samples are {test.Shape}, but the training samples of {train.Path} are {train.Shape}"
            );
        }

        if (test.ClassNames is { } names && !names.SequenceEqual(train.ClassNames ?? names))
            throw FileErrors.In(test.Path, $"its classes are not those of {train.Path}; --test needs the same kind of data");
        test.RequireLabelsBelow(classes);
    }
}
