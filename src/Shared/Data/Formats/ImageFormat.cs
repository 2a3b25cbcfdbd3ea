namespace Distributed.Data.Formats;

/// <summary>A format of images, whose values are bytes.</summary>
internal abstract class ImageFormat : DataFormat
{
    /// <inheritdoc />
    public override Dataset Read(string name, DataFiles train, DataFiles? test, DataOptions options)
    {
        var trainSamples = Read(train.Files);
        return ByteDataset.Create(
            name,
            train.Path,
            trainSamples,
            test is null ? null : ReadOther(test, "test", "--test"),
            ByteDataset.ImageDivisor,
            Holdout.Of(options)?.Fraction ?? 0,
            DataFiles.Holdout(options) is { } holdout ? ReadOther(holdout, "judge", "--holdout") : null
        );
    }

    /// <inheritdoc />
    public override RawSamples ReadInputs(DataFiles files, ModelInputs inputs, DataOptions options)
    {
        var (shape, features) = ReadImages(files.Files);
        RequireFit(files.Path, shape, inputs);
        return new ByteRows(shape, features);
    }

    /// <inheritdoc />
    public override SampleSet ReadLabelled(DataFiles files, ModelInputs inputs, IReadOnlyList<string> classNames, DataOptions options)
    {
        var samples = Read(files.Files);
        RequireFit(files.Path, samples.Shape, inputs);
        samples.RequireLabelsBelow((samples.ClassNames ?? classNames).Count);
        var labels = ModelClasses.Of(samples.Labels, samples.ClassNames ?? classNames, classNames, files.Path, inputs.Model);
        return new SampleSet(new SampleDecoder(inputs.Preprocessing, samples.Shape), labels, samples.Features);
    }

    /// <summary>Reads samples and their targets.</summary>
    /// <exception cref="InputException">A file is bad.</exception>
    protected abstract ByteSamples Read(IReadOnlyList<string> files);

    /// <summary>Reads samples alone.</summary>
    /// <exception cref="InputException">A file is bad.</exception>
    protected abstract (SampleShape Shape, ReadOnlyMemory<byte> Features) ReadImages(IReadOnlyList<string> files);

    private static void RequireFit(string path, SampleShape shape, ModelInputs inputs)
    {
        if (shape.Length != inputs.Shape.Length)
            throw FileErrors.In(path, $"a sample has {shape.Length} values, {inputs.Model} takes {inputs.Shape.Length}");
        if (inputs.Preprocessing.ByteDivisor is not ByteDataset.ImageDivisor)
        {
            throw FileErrors.In(
                path,
                $"its values are bytes of images, but {inputs.Model} expects values scaled in another way ({inputs.Preprocessing.ToJson()})"
            );
        }
    }

    private static ByteSamples ReadOther(DataFiles files, string verb, string option) =>
        files.Format is ImageFormat format
            ? format.Read(files.Files)
            : throw FileErrors.In(files.Path, $"a CSV file cannot {verb} a model trained on images; {option} needs the format of --data");

    private sealed class ByteRows(SampleShape shape, ReadOnlyMemory<byte> features) : RawSamples
    {
        public override int Count => features.Length / shape.Length;

        public override void CopyInputs(int first, Preprocessing preprocessing, Span<float> destination) =>
            new SampleDecoder(preprocessing, shape).Decode(features.Span.Slice(first * shape.Length, destination.Length), destination);
    }
}
