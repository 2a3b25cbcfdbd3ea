using System.Text.Json;

namespace Distributed.Checkpoints;

/// <summary>The parsed header of a safetensors file; every claim in it has been checked against the bytes that are there.</summary>
internal sealed class SafeTensorsHeader
{
    internal const string MetadataName = "__metadata__";
    internal const string Float32 = "F32";

    // PyTorch stores beside the statistics of a batch normalisation how many batches it has seen; nothing is computed from it here.
    private const string BatchCountSuffix = ".num_batches_tracked";
    private const string Int64 = "I64";

    private readonly string _path;
    private readonly Dictionary<string, SafeTensorEntry> _tensors = new(StringComparer.Ordinal);
    private readonly List<SafeTensorEntry> _batchCounts = [];
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);

    private SafeTensorsHeader(string path) => _path = path;

    /// <summary>The tensors by name, without PyTorch's counts of batches.</summary>
    internal IReadOnlyDictionary<string, SafeTensorEntry> Tensors => _tensors;

    /// <summary>The free text of the header.</summary>
    internal IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>Parses the header's JSON and checks that its tensors tile the data section exactly.</summary>
    /// <param name="json">The header's bytes.</param>
    /// <param name="dataLength">The bytes that follow the header in the file.</param>
    /// <param name="path">The file, for messages.</param>
    /// <exception cref="InputException">The header is not valid, names file and tensor.</exception>
    internal static SafeTensorsHeader Parse(ReadOnlyMemory<byte> json, long dataLength, string path)
    {
        var header = new SafeTensorsHeader(path);
        try
        {
            using var document = JsonDocument.Parse(json);
            header.ReadRoot(document.RootElement);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // A text that is not UTF-8 passes the parser and is refused where it is read.
            throw new InputException($"{path}: the safetensors header is not valid JSON ({exception.Message.TrimEnd('.')})", exception);
        }
        header.CheckTiling(dataLength);
        return header;
    }

    private void ReadRoot(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw new InputException($"{_path}: the safetensors header must be a JSON object, not {root.ValueKind}");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var property in root.EnumerateObject())
        {
            if (!seen.Add(property.Name))
                throw Bad(property.Name, "occurs twice in the header");
            if (property.Name == MetadataName)
                ReadMetadata(property.Value);
            else if (property.Name.EndsWith(BatchCountSuffix, StringComparison.Ordinal))
                _batchCounts.Add(ReadTensor(property.Name, property.Value, Int64, sizeof(long)));
            else
                _tensors.Add(property.Name, ReadTensor(property.Name, property.Value, Float32, sizeof(float)));
        }
    }

    private void ReadMetadata(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw new InputException($"{_path}: {MetadataName} must be an object of texts, not {element.ValueKind}");
        foreach (var property in element.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.String)
                throw BadMetadata($"'{property.Name}' must be text, not {property.Value.ValueKind}");
            if (!_metadata.TryAdd(property.Name, property.Value.GetString()!))
                throw BadMetadata($"'{property.Name}' occurs twice");
        }
    }

    private SafeTensorEntry ReadTensor(string name, JsonElement element, string expectedType, int elementSize)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw Bad(name, $"must be described by an object, not {element.ValueKind}");
        CheckKeys(name, element);
        var type = Field(name, element, "dtype");
        if (type.ValueKind != JsonValueKind.String || !type.ValueEquals(expectedType))
        {
            throw Bad(
                name,
                $"has dtype {type.GetRawText()}; only {expectedType} is supported: {(expectedType == Float32 ? "convert the file to fp32" : "leave it out")}"
            );
        }

        var shape = Numbers(name, element, "shape");
        var offsets = Numbers(name, element, "data_offsets");
        if (offsets.Count != 2 || offsets[0] > offsets[1])
            throw Bad(name, $"has data_offsets [{string.Join(", ", offsets)}]; it must be [start, end] with start <= end");
        CheckSize(name, shape, elementSize, offsets[1] - offsets[0]);
        return new SafeTensorEntry(name, shape, offsets[0], offsets[1]);
    }

    private void CheckKeys(string name, JsonElement element)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var property in element.EnumerateObject())
        {
            if (property.Name is not ("dtype" or "shape" or "data_offsets") || !seen.Add(property.Name))
                throw Bad(name, $"has an unknown or repeated field '{property.Name}'");
        }
    }

    private JsonElement Field(string name, JsonElement element, string field) =>
        element.TryGetProperty(field, out var value) ? value : throw Bad(name, $"has no {field}");

    private List<long> Numbers(string name, JsonElement element, string field)
    {
        var array = Field(name, element, field);
        if (array.ValueKind != JsonValueKind.Array)
            throw Bad(name, $"has a {field} that is not a list of numbers");
        var numbers = new List<long>();
        foreach (var item in array.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out var number) || number < 0)
                throw Bad(name, $"has {item.GetRawText()} in its {field}; whole numbers from 0 to 2^63-1 are allowed");
            numbers.Add(number);
        }
        return numbers;
    }

    private void CheckSize(string name, List<long> shape, int elementSize, long bytes)
    {
        var product = (Int128)elementSize;
        foreach (var dimension in shape)
        {
            product *= dimension;
            if (product > long.MaxValue)
                throw Bad(name, $"has shape [{string.Join(", ", shape)}], whose size overflows");
        }
        if (product != bytes)
            throw Bad(name, $"has shape [{string.Join(", ", shape)}], that is {product} bytes, but data_offsets span {bytes}");
    }

    /// <summary>The format allows neither gaps nor overlaps, so that no byte of a file is unaccounted for.</summary>
    private void CheckTiling(long dataLength)
    {
        var position = 0L;
        foreach (var tensor in _tensors.Values.Concat(_batchCounts).OrderBy(tensor => tensor.Start).ThenBy(tensor => tensor.End))
        {
            if (tensor.End > dataLength)
            {
                throw Bad(
                    tensor.Name,
                    $"ends at byte {tensor.End} of the data, but the file holds {dataLength}: it is truncated or its header lies"
                );
            }

            if (tensor.Start != position)
            {
                throw Bad(
                    tensor.Name,
                    $"starts at byte {tensor.Start} of the data, "
                        + $"{(tensor.Start < position ? "overlapping" : "leaving a gap after")} the tensor before, which ends at {position}"
                );
            }

            position = tensor.End;
        }
        if (position != dataLength)
            throw new InputException($"{_path}: the file holds {dataLength} bytes of data, its tensors cover {position}");
    }

    private InputException BadMetadata(string problem) => new(Printable.Of($"{_path}: {MetadataName} {problem}"));

    private InputException Bad(string tensor, string problem) => new(Printable.Of($"{_path}: tensor '{tensor}' {problem}"));
}
