namespace Distributed.Data.Formats;

/// <summary>A format of images, whose values are bytes.</summary>
internal abstract class ImageFormat : DataFormat
{
    /// <inheritdoc />
    public override Dataset Read(string name, DataFiles train, DataFiles? test, DataOptions options)
    {
        var trainSamples = Read(train.Files, options.Workspace);
        return ByteDataset.Create(
            name,
            train.Path,
            trainSamples,
            test is null ? null : ReadOther(test, "test", "--test", options.Workspace),
            ByteDataset.ImageDivisor,
            options.Workspace,
            Holdout.Of(options)?.Fraction ?? 0,
            DataFiles.Holdout(options) is { } holdout ? ReadOther(holdout, "judge", "--holdout", options.Workspace) : null
        );
    }

    /// <inheritdoc />
    public override RawSamples ReadInputs(DataFiles files, ModelInputs inputs, DataOptions options)
    {
        var (shape, samples) = ReadImages(files.Files, options.Workspace);
        RequireFit(files.Path, shape, inputs);
        return new ByteRows(shape, samples);
    }

    /// <inheritdoc />
    public override SampleSet ReadLabelled(DataFiles files, ModelInputs inputs, IReadOnlyList<string> classNames, DataOptions options)
    {
        var samples = Read(files.Files, options.Workspace);
        RequireFit(files.Path, samples.Shape, inputs);
        samples.RequireLabelsBelow((samples.ClassNames ?? classNames).Count);
        var labels = ModelClasses.Of(samples.Labels.ToArray(), samples.ClassNames ?? classNames, classNames, files.Path, inputs.Model);
        return new SampleSet(new SampleDecoder(inputs.Preprocessing, samples.Shape), samples.Samples, targetWidth: 1).WithTargets(labels);
    }

    /// <summary>Reads samples and their targets.</summary>
    /// <exception cref="InputException">A file is bad.</exception>
    protected abstract ByteSamples Read(IReadOnlyList<string> files, Workspace workspace);

    /// <summary>Reads samples alone.</summary>
    /// <exception cref="InputException">A file is bad.</exception>
    protected abstract (SampleShape Shape, RecordSamples Samples) ReadImages(IReadOnlyList<string> files, Workspace workspace);

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

    private static ByteSamples ReadOther(DataFiles files, string verb, string option, Workspace workspace) =>
        files.Format is ImageFormat format
            ? format.Read(files.Files, workspace)
            : throw FileErrors.In(files.Path, $"a CSV file cannot {verb} a model trained on images; {option} needs the format of --data");

    private sealed class ByteRows(SampleShape shape, RecordSamples samples) : RawSamples
    {
        public override int Count => (int)(samples.Length / shape.Length);

        public override void CopyInputs(int first, Preprocessing preprocessing, Span<float> destination)
        {
            var decoder = new SampleDecoder(preprocessing, shape);
            for (var offset = (long)first * shape.Length; !destination.IsEmpty; )
            {
                var stored = samples.Stored(offset, destination.Length);
                decoder.Decode(stored, destination[..stored.Length]);
                destination = destination[stored.Length..];
                offset += stored.Length;
            }
        }
    }
}
