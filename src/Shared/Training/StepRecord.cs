using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Distributed.Collectives;
using Distributed.Objectives;
using Google.Protobuf;

namespace Distributed.Training;

/// <summary>
/// What is recorded of a step or an evaluation beside its gradient; it is part of the exchange, so that any member can report it for all.
/// </summary>
/// <param name="Sums">The sums of the objective.</param>
/// <param name="SampleChecksum">
/// The sum of <see cref="ChecksumOf"/> over the samples that were decoded, by their numbers in the dataset.
/// </param>
internal readonly record struct StepRecord(BatchSums Sums, ulong SampleChecksum)
{
    private const int MostOnStack = 64;

    /// <summary>Size in bytes of what <see cref="Write"/> writes.</summary>
    public const int ByteLength = BatchSums.ByteLength + sizeof(ulong);

    /// <summary>The checksum of some samples: a sum, so that it does not depend on their order or on who has which.</summary>
    /// <param name="indices">The samples' numbers in the dataset.</param>
    public static ulong ChecksumOf(ReadOnlySpan<int> indices)
    {
        var sum = 0UL;
        foreach (var index in indices)
            sum += Mix((ulong)index + 1);
        return sum;
    }

    /// <summary>Writes the record, little-endian.</summary>
    /// <param name="output">[<see cref="ByteLength"/> or more].</param>
    public void Write(Span<byte> output)
    {
        Sums.Write(output);
        BinaryPrimitives.WriteUInt64LittleEndian(output[BatchSums.ByteLength..], SampleChecksum);
    }

    /// <summary>What <see cref="Write"/> writes, as it is reported.</summary>
    public ByteString ToBytes()
    {
        var bytes = new byte[ByteLength];
        Write(bytes);
        return UnsafeByteOperations.UnsafeWrap(bytes);
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <param name="input">[<see cref="ByteLength"/> or more].</param>
    public static StepRecord Read(ReadOnlySpan<byte> input) =>
        new(BatchSums.Read(input), BinaryPrimitives.ReadUInt64LittleEndian(input[BatchSums.ByteLength..]));

    /// <summary>Publishes the records of a member's nodes in an exchange; the checksum of all of its samples goes with the first.</summary>
    /// <param name="exchange">The exchange, begun and not completed.</param>
    /// <param name="sums">The sums of the member's nodes, in order.</param>
    /// <param name="checksum">The checksum of the member's samples.</param>
    public static void Publish(AllReduce exchange, IReadOnlyList<(TreeNode Node, BatchSums Sums)> sums, ulong checksum)
    {
        ArgumentNullException.ThrowIfNull(exchange);
        ArgumentNullException.ThrowIfNull(sums);
        var output = exchange.OwnRecord;
        for (var i = 0; i < sums.Count; i++)
        {
            var record = new StepRecord(sums[i].Sums, i == 0 ? checksum : 0);
            record.Write(MemoryMarshal.AsBytes(output.Slice(i * NodeRecord.Length, NodeRecord.Length)));
        }

        exchange.PublishRecord();
    }

    /// <summary>The record of the whole step, along the same tree as the gradient.</summary>
    /// <param name="exchange">The exchange, completed; this member owns slices.</param>
    /// <param name="plan">Its plan.</param>
    public static StepRecord Complete(AllReduce exchange, ReductionPlan plan)
    {
        ArgumentNullException.ThrowIfNull(exchange);
        ArgumentNullException.ThrowIfNull(plan);
        var rented = plan.Nodes.Count > MostOnStack ? ArrayPool<StepRecord>.Shared.Rent(plan.Nodes.Count) : null;
        var records = rented ?? stackalloc StepRecord[MostOnStack];
        for (var place = 0; place < plan.Nodes.Count; place++)
            records[place] = Read(MemoryMarshal.AsBytes(exchange.Record(place)));
        for (var i = 0; i < plan.Merges.Count; i++)
        {
            var (left, right) = plan.Merges[i];
            var sums = BatchSums.Merge(records[left].Sums, records[right].Sums);
            records[left] = new StepRecord(sums, records[left].SampleChecksum + records[right].SampleChecksum);
        }

        var whole = records[0];
        if (rented is not null)
            ArrayPool<StepRecord>.Shared.Return(rented);
        return whole;
    }

    // The finalizer of SplitMix64 (G. Steele, D. Lea and C. Flood, "Fast splittable pseudorandom number generators", 2014).
    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
