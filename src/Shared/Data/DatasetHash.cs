using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Distributed.Data;

/// <summary>The identity of a dataset: the SHA-256 of its canonical content.</summary>
/// <remarks>
/// The canonical content is, with integers as int32 and all numbers little-endian: the text <c>distributed-dataset-1</c>;
/// channels, height, width; the number of classes and each one's name; the byte divisor as float32 (0 if values are floats); the
/// number of standardised columns, their means and their deviations as float64; for a table with
/// categories or gaps the JSON of its preprocessing; then for the training set, the test set and the held-out set, if there is one: the
/// number of samples, the targets, and the stored features (bytes, or float32). A text is its length in UTF-8 bytes, then those. Weights of
/// samples belong to the targets. Where
/// numbers are predicted, there are 0 classes, and behind that stand the number of targets, their means and their deviations as float64.
/// </remarks>
internal static class DatasetHash
{
    private const string Format = "distributed-dataset-1";

    /// <summary>Returns the hash in lower-case hexadecimal.</summary>
    public static string Compute(Dataset dataset)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, Format);
        Append(hash, dataset.Shape.Channels);
        Append(hash, dataset.Shape.Height);
        Append(hash, dataset.Shape.Width);
        Append(hash, dataset.ClassNames.Count);
        foreach (var name in dataset.ClassNames)
            Append(hash, name);
        if (dataset.Targets is { } targets)
            Append(hash, targets);
        Append(hash, dataset.Preprocessing);
        Append(hash, dataset.Train);
        Append(hash, dataset.Test);
        if (dataset.Holdout is { } holdout)
            Append(hash, holdout);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Append(IncrementalHash hash, NumericTargets targets)
    {
        Append(hash, targets.Count);
        foreach (var number in targets.Means.Concat(targets.Deviations))
            Append(hash, number);
    }

    private static void Append(IncrementalHash hash, Preprocessing preprocessing)
    {
        Append(hash, BitConverter.SingleToInt32Bits(preprocessing.ByteDivisor ?? 0f));
        Append(hash, preprocessing.Means.Count);
        foreach (var mean in preprocessing.Means)
            Append(hash, mean);
        foreach (var deviation in preprocessing.Deviations)
            Append(hash, deviation);
        if (preprocessing.Table is not null)
            Append(hash, preprocessing.ToJson());
    }

    private static void Append(IncrementalHash hash, SampleSet samples)
    {
        Append(hash, samples.Count);
        Append(hash, samples.Targets);
        samples.CopyFeatures(hash.AppendData);
    }

    private static void Append(IncrementalHash hash, ReadOnlySpan<int> values)
    {
        Span<byte> block = stackalloc byte[1024 * sizeof(int)];
        for (; !values.IsEmpty; values = values[Math.Min(values.Length, 1024)..])
        {
            var count = Math.Min(values.Length, 1024);
            for (var i = 0; i < count; i++)
                BinaryPrimitives.WriteInt32LittleEndian(block[(i * sizeof(int))..], values[i]);
            hash.AppendData(block[..(count * sizeof(int))]);
        }
    }

    private static void Append(IncrementalHash hash, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Append(hash, bytes.Length);
        hash.AppendData(bytes);
    }

    private static void Append(IncrementalHash hash, int value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        hash.AppendData(bytes);
    }

    private static void Append(IncrementalHash hash, double value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(double)];
        BinaryPrimitives.WriteDoubleLittleEndian(bytes, value);
        hash.AppendData(bytes);
    }
}
