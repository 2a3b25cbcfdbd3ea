using Distributed.Checkpoints;
using Distributed.Graphs;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Onnx;

namespace Distributed.Export;

/// <summary>An ONNX graph that is being put together. A name is unique: the first to ask gets it, others get a number behind it.</summary>
internal sealed class OnnxGraph : IOperatorGraph
{
    private const string Batch = "batch";
    private const string Unnamed = "Constant";

    private readonly GraphProto _graph = new() { Name = "model" };
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal); // of a name that is taken, the last number behind it

    /// <summary>The graph as it is.</summary>
    public GraphProto Proto => _graph;

    /// <summary>Adds an input.</summary>
    /// <param name="name">Its name; a number follows where it is taken.</param>
    /// <param name="type">The type of its elements.</param>
    /// <param name="description">What it takes, for people.</param>
    /// <param name="shape">Its dimensions behind the batch: one for vectors, else three.</param>
    public GraphValue Input(string name, GraphType type, string description, params ReadOnlySpan<int> shape)
    {
        var input = ValueOf(Unique(name), type, shape);
        input.DocString = description;
        _graph.Input.Add(input);
        return new GraphValue(input.Name, IsVector: shape.Length == 1);
    }

    /// <summary>Adds a parameter under its own name.</summary>
    public GraphValue Parameter(string name, IReadOnlyList<int> shape, ReadOnlySpan<float> values)
    {
        var tensor = Tensor(name, GraphType.Float, [.. shape]);
        var bytes = new byte[values.Length * sizeof(float)];
        var written = 0;
        FloatBytes.CopyTo(values, piece =>
        {
            piece.CopyTo(bytes.AsSpan(written));
            written += piece.Length;
        });
        tensor.RawData = UnsafeByteOperations.UnsafeWrap(bytes);
        return new GraphValue(tensor.Name);
    }

    /// <inheritdoc />
    public GraphValue Add(string type, ReadOnlySpan<GraphValue> inputs, params ReadOnlySpan<GraphAttribute> attributes) =>
        Add(type, domain: "", inputs, attributes);

    /// <summary>Adds an operator of another domain than ONNX's own.</summary>
    public GraphValue Add(string type, string domain, ReadOnlySpan<GraphValue> inputs, params ReadOnlySpan<GraphAttribute> attributes)
    {
        var name = Unique(type);
        var node = new NodeProto
        {
            Name = name,
            OpType = type,
            Domain = domain,
        };
        foreach (var input in inputs)
            node.Input.Add(input.Name);
        node.Output.Add(name);
        foreach (var attribute in attributes)
            node.Attribute.Add(AttributeOf(attribute));
        _graph.Node.Add(node);
        return inputs[0] with { Name = name };
    }

    /// <inheritdoc />
    public GraphValue Constant(ReadOnlySpan<float> values, params ReadOnlySpan<int> shape)
    {
        var tensor = Tensor(Unnamed, GraphType.Float, shape);
        tensor.FloatData.Add(values.ToArray());
        return new GraphValue(tensor.Name);
    }

    /// <inheritdoc />
    public GraphValue Constant(ReadOnlySpan<double> values, params ReadOnlySpan<int> shape)
    {
        var tensor = Tensor(Unnamed, GraphType.Double, shape);
        tensor.DoubleData.Add(values.ToArray());
        return new GraphValue(tensor.Name);
    }

    /// <inheritdoc />
    public GraphValue Constant(ReadOnlySpan<long> values, params ReadOnlySpan<int> shape)
    {
        var tensor = Tensor(Unnamed, GraphType.Integer, shape);
        tensor.Int64Data.Add(values.ToArray());
        return new GraphValue(tensor.Name);
    }

    /// <inheritdoc />
    public GraphValue Constant(IReadOnlyList<string> texts)
    {
        var tensor = Tensor(Unnamed, GraphType.Text, [texts.Count]);
        tensor.StringData.Add(texts.Select(ByteString.CopyFromUtf8));
        return new GraphValue(tensor.Name);
    }

    /// <inheritdoc />
    public GraphValue Output(string name, GraphValue value, GraphType type, params ReadOnlySpan<int> shape)
    {
        var output = ValueOf(Unique(name), type, shape);
        foreach (var node in _graph.Node)
        {
            Rename(node.Input, value.Name, output.Name);
            Rename(node.Output, value.Name, output.Name);
        }

        _graph.Output.Add(output);
        return value with { Name = output.Name };
    }

    private static void Rename(RepeatedField<string> names, string from, string to)
    {
        for (var index = 0; index < names.Count; index++)
            names[index] = names[index] == from ? to : names[index];
    }

    private static ValueInfoProto ValueOf(string name, GraphType type, ReadOnlySpan<int> shape)
    {
        var sizes = new TensorShapeProto { Dim = { new TensorShapeProto.Types.Dimension { DimParam = Batch } } };
        foreach (var size in shape)
            sizes.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = size });
        var tensor = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = sizes };
        return new ValueInfoProto
        {
            Name = name,
            Type = new TypeProto { TensorType = tensor },
        };
    }

    private static AttributeProto AttributeOf(GraphAttribute attribute)
    {
        var proto = new AttributeProto { Name = attribute.Name };
        if (attribute.Integer is { } integer)
            (proto.Type, proto.I) = (AttributeProto.Types.AttributeType.Int, integer);
        else if (attribute.Number is { } number)
            (proto.Type, proto.F) = (AttributeProto.Types.AttributeType.Float, number);
        else if (attribute.Integers is not null)
            proto.Type = AttributeProto.Types.AttributeType.Ints;
        else
            proto.Type = AttributeProto.Types.AttributeType.Strings;
        proto.Ints.Add(attribute.Integers ?? []);
        proto.Strings.Add((attribute.Texts ?? []).Select(ByteString.CopyFromUtf8));
        return proto;
    }

    private TensorProto Tensor(string name, GraphType type, ReadOnlySpan<int> shape)
    {
        var tensor = new TensorProto { Name = Unique(name), DataType = (int)type };
        foreach (var size in shape)
            tensor.Dims.Add(size);
        _graph.Initializer.Add(tensor);
        return tensor;
    }

    private string Unique(string name)
    {
        if (_names.Add(name))
            return name;
        var number = _counts.GetValueOrDefault(name);
        string unique;
        do unique = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{name}_{++number}");
        while (!_names.Add(unique));
        _counts[name] = number;
        return unique;
    }
}
