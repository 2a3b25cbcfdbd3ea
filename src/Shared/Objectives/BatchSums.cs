using System.Buffers.Binary;
using System.Runtime.Intrinsics;

namespace Distributed.Objectives;

/// <summary>
/// What a node of the reduction tree adds up to beside its gradient: the loss and whatever else its <see cref="Objective"/> measures. Four
/// floats, four integers and the samples, of which an objective uses as many as it needs; the rest stays 0.
/// </summary>
/// <param name="Floats">
/// Added along the same tree over the microbatches as the gradient. Element 0 is the loss; the objective gives the others their meaning.
/// </param>
/// <param name="Counts">Exact, so that their order does not matter; the objective gives them their meaning.</param>
/// <param name="Samples">Number of samples.</param>
internal readonly record struct BatchSums(Vector128<float> Floats, Vector256<long> Counts, long Samples)
{
    /// <summary>How many float sums there are, the loss included.</summary>
    public const int FloatCount = 4;

    /// <summary>How many counts there are, the samples not included.</summary>
    public const int CountCount = 4;

    /// <summary>The size of the form that <see cref="Write"/> gives.</summary>
    public const int ByteLength = (FloatCount * sizeof(float)) + (CountCount * sizeof(long)) + sizeof(long);

    /// <summary>Sums of a loss and one count; the others are 0.</summary>
    /// <param name="loss">Sum of the samples' losses.</param>
    /// <param name="count">The first count.</param>
    /// <param name="samples">Number of samples.</param>
    public BatchSums(float loss, long count, long samples)
        : this(Vector128.Create(loss, 0, 0, 0), Vector256.Create(count, 0, 0, 0), samples) { }

    /// <summary>Sum of the samples' losses.</summary>
    public float Loss => Floats[0];

    /// <summary>The mean loss of a sample.</summary>
    public float MeanLoss => Loss / Samples;

    /// <summary>Joins two neighbouring nodes of the tree over the microbatches.</summary>
    /// <param name="left">The node with the lower microbatches.</param>
    /// <param name="right">The node with the higher ones.</param>
    public static BatchSums Merge(in BatchSums left, in BatchSums right) =>
        new(left.Floats + right.Floats, left.Counts + right.Counts, left.Samples + right.Samples);

    /// <summary>Writes the sums as they travel: the floats, the counts, the samples, all little-endian.</summary>
    /// <param name="destination">At least <see cref="ByteLength"/> bytes, of which the first are overwritten.</param>
    public void Write(Span<byte> destination)
    {
        for (var i = 0; i < FloatCount; i++)
            BinaryPrimitives.WriteSingleLittleEndian(destination[(i * sizeof(float))..], Floats[i]);
        var counts = destination[(FloatCount * sizeof(float))..];
        for (var i = 0; i < CountCount; i++)
            BinaryPrimitives.WriteInt64LittleEndian(counts[(i * sizeof(long))..], Counts[i]);
        BinaryPrimitives.WriteInt64LittleEndian(counts[(CountCount * sizeof(long))..], Samples);
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <param name="source">At least <see cref="ByteLength"/> bytes.</param>
    public static BatchSums Read(ReadOnlySpan<byte> source)
    {
        Span<float> floats = stackalloc float[FloatCount];
        for (var i = 0; i < FloatCount; i++)
            floats[i] = BinaryPrimitives.ReadSingleLittleEndian(source[(i * sizeof(float))..]);
        var integers = source[(FloatCount * sizeof(float))..];
        Span<long> counts = stackalloc long[CountCount];
        for (var i = 0; i < CountCount; i++)
            counts[i] = BinaryPrimitives.ReadInt64LittleEndian(integers[(i * sizeof(long))..]);
        return new(
            Vector128.Create<float>(floats),
            Vector256.Create<long>(counts),
            BinaryPrimitives.ReadInt64LittleEndian(integers[(CountCount * sizeof(long))..])
        );
    }
}
