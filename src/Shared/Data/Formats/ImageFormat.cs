namespace Distributed.Data.Formats;

/// <summary>A format of images, whose values are bytes.</summary>
internal abstract class ImageFormat : DataFormat
{
    /// <inheritdoc />
    public override Dataset Read(string name, DataFiles train, DataFiles? test, DataOptions options)
    {
        var trainSamples = Read(train.Files);
        return ByteDataset.Create(name, train.Path, trainSamples, test is null ? null : ReadTest(test), ByteDataset.ImageDivisor);
    }

    /// <inheritdoc />
    public override RawSamples ReadInputs(DataFiles files, ModelInputs inputs, DataOptions options)
    {
        var (shape, features) = ReadImages(files.Files);
        if (shape.Length != inputs.Shape.Length)
            throw FileErrors.In(files.Path, $"a sample has {shape.Length} values, {inputs.Model} takes {inputs.Shape.Length}");
        if (inputs.Preprocessing.ByteDivisor is not ByteDataset.ImageDivisor)
        {
            throw FileErrors.In(
                files.Path,
                $"its values are bytes of images, but {inputs.Model} expects values scaled in another way ({inputs.Preprocessing.ToJson()})"
            );
        }

        return new ByteRows(shape, features);
    }

    /// <summary>Reads samples and their targets.</summary>
    /// <exception cref="InputException">A file is bad.</exception>
    protected abstract ByteSamples Read(IReadOnlyList<string> files);

    /// <summary>Reads samples alone.</summary>
    /// <exception cref="InputException">A file is bad.</exception>
    protected abstract (SampleShape Shape, ReadOnlyMemory<byte> Features) ReadImages(IReadOnlyList<string> files);

    private static ByteSamples ReadTest(DataFiles test) =>
        test.Format is ImageFormat format
            ? format.Read(test.Files)
            : throw FileErrors.In(test.Path, "a CSV file cannot test a model trained on images; --test needs the format of --data");

    private sealed class ByteRows(SampleShape shape, ReadOnlyMemory<byte> features) : RawSamples
    {
        public override int Count => features.Length / shape.Length;

        public override void CopyInputs(int first, Preprocessing preprocessing, Span<float> destination) =>
            new SampleDecoder(preprocessing, shape).Decode(features.Span.Slice(first * shape.Length, destination.Length), destination);
    }
}
