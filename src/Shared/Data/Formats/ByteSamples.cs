namespace Distributed.Data.Formats;

/// <summary>Labelled samples of one byte a value, as read from IDX or CIFAR files, before they are split.</summary>
internal sealed record ByteSamples
{
    /// <summary>Where the features come from.</summary>
    public required string Path { get; init; }

    /// <summary>Where the labels come from.</summary>
    public required string LabelsPath { get; init; }

    /// <summary>The shape of each sample.</summary>
    public required SampleShape Shape { get; init; }

    /// <summary>[n, shape.Length], the values, and the class of each sample.</summary>
    public required RecordSamples Samples { get; init; }

    /// <summary>[n], the class of each sample.</summary>
    public ReadOnlySpan<int> Labels => Samples.Targets;

    /// <summary>The classes that the format fixes, or null if the labels define them.</summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>Offset of the first label in its file.</summary>
    public required int FirstLabelOffset { get; init; }

    /// <summary>Bytes from one label to the next.</summary>
    public required int LabelStride { get; init; }

    /// <summary>Refuses labels that are not below the number of classes.</summary>
    /// <exception cref="InputException">A label is out of range.</exception>
    public void RequireLabelsBelow(int classes)
    {
        var index = Labels.IndexOfAnyExceptInRange(0, classes - 1);
        if (index < 0)
            return;
        var offset = FirstLabelOffset + ((long)index * LabelStride);
        throw FileErrors.AtOffset(
            LabelsPath,
            offset,
            $"the label of sample {index} is {Labels[index]}, but the classes are 0 to {classes - 1}"
        );
    }
}
