using Distributed.Graphs;
using Distributed.Model.Layers;

namespace Distributed.Model;

/// <summary>Turns a list of layers as the user asked for them into layers that fit one another.</summary>
internal static class LayerSequence
{
    /// <summary>Settles the sizes; an activation function becomes part of the layer before it where that one can apply it.</summary>
    /// <param name="specs">The layers.</param>
    /// <param name="input">What a sample is made of.</param>
    /// <param name="listName">The property of the model file that lists them.</param>
    /// <param name="isInside">Whether they lie inside another layer, and so get what that one gets and not the columns of the data.</param>
    /// <exception cref="InputException">A layer cannot take its input; the message names its place.</exception>
    internal static IReadOnlyList<Layer> Resolve(IReadOnlyList<LayerSpec> specs, InputColumns input, string listName, bool isInside = false)
    {
        List<Layer> layers = [];
        var columns = input;
        for (var i = 0; i < specs.Count; i++)
        {
            var fused = specs[i] is ActivationSpec activation && layers.Count > 0 ? layers[^1].WithActivation(activation.Function) : null;
            if (fused is null)
            {
                // A layer that is trained wants the gradient of those after it, which layers for columns do not have.
                var isBehindOthers = i > 0 && (specs[i - 1] is not InputLayerSpec || layers[^1].Parameters.Count > 0);
                layers.Add(Resolve(specs[i], ref columns, isInside || isBehindOthers, $"{listName}[{i}]"));
                continue;
            }

            layers[^1] = fused;
        }

        return layers;
    }

    /// <summary>Puts a conversion wherever a layer takes the elements in another order than the one before leaves them.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="order">The order of the input's elements; <see cref="ElementOrder.Any"/> only where all layers take any.</param>
    /// <param name="outputOrder">The order to leave the output's in.</param>
    internal static IReadOnlyList<Layer> Arrange(IReadOnlyList<Layer> layers, ElementOrder order, ElementOrder outputOrder)
    {
        List<Layer> arranged = [];
        foreach (var layer in layers)
        {
            if (layer.Order != ElementOrder.Any)
                Convert(layer.Input, layer.Order);
            arranged.Add(layer);
        }

        Convert(layers[^1].Output, outputOrder);
        return arranged;

        void Convert(SampleShape shape, ElementOrder wanted)
        {
            var ordersDiffer = shape.Channels > 1 && shape.Height * shape.Width > 1;
            if (wanted != order && ordersDiffer)
                arranged.Add(new ChannelOrderLayer(shape, wanted));
            order = wanted;
        }
    }

    /// <summary>The order that the first layer asks for which has a preference.</summary>
    internal static ElementOrder PreferredOrder(IEnumerable<Layer> layers) =>
        layers.Select(layer => layer.Order).FirstOrDefault(order => order != ElementOrder.Any);

    /// <summary>Adds what the layers do in evaluation, one after the other, to a graph of operators.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="graph">The graph.</param>
    /// <param name="input">What the first one takes.</param>
    /// <param name="parameters">The parameters of all, in order.</param>
    /// <returns>What the last one puts out.</returns>
    internal static GraphValue AddTo(
        IReadOnlyList<Layer> layers,
        IOperatorGraph graph,
        GraphValue input,
        ReadOnlySpan<GraphValue> parameters
    )
    {
        var value = input;
        foreach (var layer in layers)
        {
            value = layer.AddTo(graph, value, parameters[..layer.Parameters.Count]);
            parameters = parameters[layer.Parameters.Count..];
        }

        return value;
    }

    /// <summary>The layers in one line, without conversions.</summary>
    internal static string Describe(IEnumerable<Layer> layers) =>
        string.Join(" -> ", layers.Where(layer => layer is not ChannelOrderLayer).Select(layer => layer.Description));

    private static Layer Resolve(LayerSpec spec, ref InputColumns columns, bool isBehindOthers, string place)
    {
        try
        {
            return Resolve(spec, ref columns, isBehindOthers);
        }
        catch (InputException failure)
        {
            throw new InputException($"{place} ({spec.Type}): {failure.Message}", failure);
        }
        catch (OverflowException failure)
        {
            throw new InputException(
                $"{place} ({spec.Type}): one sample would have more than {int.MaxValue} values after it: use smaller sizes",
                failure
            );
        }
    }

    private static Layer Resolve(LayerSpec spec, ref InputColumns columns, bool isBehindOthers)
    {
        Layer layer;
        if (spec is InputLayerSpec first && !isBehindOthers)
        {
            (layer, columns) = first.Resolve(columns);
            return layer;
        }

        if (columns.Categories is [var category, ..])
        {
            throw new InputException(
                $"column '{category.Name}' holds categories, which it would take for numbers: put an embedding before it"
            );
        }

        layer = spec.Resolve(columns.Shape);
        columns = layer.Output;
        return layer;
    }
}
