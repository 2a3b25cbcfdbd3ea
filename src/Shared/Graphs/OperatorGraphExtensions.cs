namespace Distributed.Graphs;

/// <summary>What several parts of a model say in operators.</summary>
internal static class OperatorGraphExtensions
{
    /// <summary>Each sample as one vector, channel by channel.</summary>
    public static GraphValue AsVector(this IOperatorGraph graph, GraphValue value) =>
        value.IsVector ? value : graph.Add("Flatten", [value], GraphAttribute.Of("axis", 1)) with { IsVector = true };

    /// <summary>Each sample as an image.</summary>
    public static GraphValue AsImage(this IOperatorGraph graph, GraphValue value, SampleShape shape)
    {
        if (!value.IsVector)
            return value;
        var sizes = graph.Constant([0, shape.Channels, shape.Height, shape.Width], 4); // 0: the batch, as it is
        return graph.Add("Reshape", [value, sizes]) with { IsVector = false };
    }

    /// <summary>Some neighbouring elements of vectors.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="vector">The vectors.</param>
    /// <param name="first">The first element.</param>
    /// <param name="count">How many.</param>
    public static GraphValue Slice(this IOperatorGraph graph, GraphValue vector, int first, int count) =>
        graph.Add("Slice", [vector, graph.Constant([first], 1), graph.Constant([first + count], 1), graph.Constant([1L], 1)]);

    /// <summary>Vectors one behind the other.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="vectors">At least one.</param>
    public static GraphValue Join(this IOperatorGraph graph, IReadOnlyList<GraphValue> vectors) =>
        vectors is [var one] ? one : graph.Add("Concat", [.. vectors], GraphAttribute.Of("axis", 1));

    /// <summary>Elements of another type.</summary>
    public static GraphValue Cast(this IOperatorGraph graph, GraphValue value, GraphType type) =>
        graph.Add("Cast", [value], GraphAttribute.Of("to", (long)type));
}
