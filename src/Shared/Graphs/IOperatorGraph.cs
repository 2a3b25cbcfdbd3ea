namespace Distributed.Graphs;

/// <summary>
/// A graph of ONNX operators (https://onnx.ai/onnx/operators, those of opset 17), into which a trained model writes what it does in
/// evaluation. The first dimension of every value is the batch.
/// </summary>
internal interface IOperatorGraph
{
    /// <summary>Adds an operator.</summary>
    /// <param name="type">Its name, such as <c>Gemm</c>.</param>
    /// <param name="inputs">Its inputs.</param>
    /// <param name="attributes">Its attributes.</param>
    /// <returns>Its output, taken for an image or a vector as its first input is.</returns>
    GraphValue Add(string type, ReadOnlySpan<GraphValue> inputs, params ReadOnlySpan<GraphAttribute> attributes);

    /// <summary>Adds a constant.</summary>
    /// <param name="values">[product of the shape].</param>
    /// <param name="shape">Its dimensions; none for a single number.</param>
    GraphValue Constant(ReadOnlySpan<float> values, params ReadOnlySpan<int> shape);

    /// <inheritdoc cref="Constant(ReadOnlySpan{float}, ReadOnlySpan{int})"/>
    GraphValue Constant(ReadOnlySpan<double> values, params ReadOnlySpan<int> shape);

    /// <inheritdoc cref="Constant(ReadOnlySpan{float}, ReadOnlySpan{int})"/>
    GraphValue Constant(ReadOnlySpan<long> values, params ReadOnlySpan<int> shape);

    /// <summary>Adds a list of texts.</summary>
    GraphValue Constant(IReadOnlyList<string> texts);

    /// <summary>Makes a value an output of the graph.</summary>
    /// <param name="name">Its name; a number follows where it is taken.</param>
    /// <param name="value">What an operator has put out.</param>
    /// <param name="type">The type of its elements.</param>
    /// <param name="shape">Its dimensions behind the batch.</param>
    /// <returns>The value under its new name, by which alone it is known from here on.</returns>
    GraphValue Output(string name, GraphValue value, GraphType type, params ReadOnlySpan<int> shape);
}

/// <summary>A value of a graph.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsVector">Whether a sample has one dimension; otherwise it is an image of C x H x W.</param>
internal readonly record struct GraphValue(string Name, bool IsVector = false);

/// <summary>Types of elements, by the numbers that ONNX gives them.</summary>
internal enum GraphType
{
    /// <summary>32-bit floats.</summary>
    Float = 1,

    /// <summary>Unsigned bytes.</summary>
    Byte = 2,

    /// <summary>64-bit integers.</summary>
    Integer = 7,

    /// <summary>Texts.</summary>
    Text = 8,

    /// <summary>64-bit floats.</summary>
    Double = 11,
}
