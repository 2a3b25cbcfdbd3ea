using System.Buffers.Binary;
using System.Text.Json;

namespace Distributed.Checkpoints;

/// <summary>
/// Writes the safetensors format of Hugging Face: eight bytes of little-endian header length, a JSON header of names, shapes and
/// offsets, and the tensors' bytes without gaps.
/// </summary>
internal static class SafeTensorsWriter
{
    /// <summary>The header is padded with spaces to this many bytes, so that the data is aligned when the file is mapped.</summary>
    private const int HeaderAlignment = 8;

    /// <summary>Writes the tensors in the order given.</summary>
    /// <param name="stream">Where the bytes go; left open.</param>
    /// <param name="tensors">The tensors; names are unique and shapes match the lengths.</param>
    /// <param name="metadata">
    /// Text that travels in the header under <c>__metadata__</c>. With <see cref="HeaderSeal.Blank"/> under <see cref="HeaderSeal.Key"/>
    /// the header gets its checksum there.
    /// </param>
    /// <exception cref="ArgumentException">A shape does not match the number of values, or a name occurs twice.</exception>
    public static void Write(Stream stream, IReadOnlyList<SafeTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        CheckTensors(tensors);
        var header = Header(tensors, metadata);
        Span<byte> length = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach (var tensor in tensors)
            FloatBytes.CopyTo(tensor.Values.Span, stream.Write);
    }

    private static void CheckTensors(IReadOnlyList<SafeTensor> tensors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal) { SafeTensorsHeader.MetadataName };
        foreach (var tensor in tensors)
        {
            if (!names.Add(tensor.Name))
                throw new ArgumentException($"The tensor name '{tensor.Name}' is taken.", nameof(tensors));
            if (tensor.Shape.Aggregate(1L, (product, dimension) => checked(product * dimension)) != tensor.Values.Length)
            {
                throw new ArgumentException(
                    $"Tensor '{tensor.Name}' has {tensor.Values.Length} values, its shape another number.",
                    nameof(tensors)
                );
            }
        }
    }

    private static byte[] Header(IReadOnlyList<SafeTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            WriteMetadata(json, metadata);
            WriteEntries(json, tensors);
            json.WriteEndObject();
        }
        while (buffer.Length % HeaderAlignment != 0)
            buffer.WriteByte((byte)' ');
        var header = buffer.ToArray();
        if (metadata.ContainsKey(HeaderSeal.Key))
            HeaderSeal.Close(header);
        return header;
    }

    private static void WriteMetadata(Utf8JsonWriter json, IReadOnlyDictionary<string, string> metadata)
    {
        if (metadata.Count == 0)
            return;
        json.WriteStartObject(SafeTensorsHeader.MetadataName);
        foreach (var (name, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            json.WriteString(name, value);
        json.WriteEndObject();
    }

    private static void WriteEntries(Utf8JsonWriter json, IReadOnlyList<SafeTensor> tensors)
    {
        var start = 0L;
        foreach (var tensor in tensors)
        {
            var end = start + (long)tensor.Values.Length * sizeof(float);
            json.WriteStartObject(tensor.Name);
            json.WriteString("dtype", SafeTensorsHeader.Float32);
            WriteNumbers(json, "shape", tensor.Shape.Select(dimension => (long)dimension));
            WriteNumbers(json, "data_offsets", [start, end]);
            json.WriteEndObject();
            start = end;
        }
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, IEnumerable<long> numbers)
    {
        json.WriteStartArray(name);
        foreach (var number in numbers)
            json.WriteNumberValue(number);
        json.WriteEndArray();
    }
}
