using System.Globalization;
using Distributed.Data;
using Distributed.Data.Tables;
using Distributed.Graphs;
using Distributed.Training;

namespace Distributed.Export;

/// <summary>
/// The inputs of a model's graph, as raw as its data, and the way from them to what the network sees: the same operations in the same
/// precision as <see cref="Preprocessing"/> and <see cref="TableEncoding"/>.
/// </summary>
/// <param name="graph">The graph.</param>
/// <param name="model">The model.</param>
internal sealed class OnnxInputs(OnnxGraph graph, TrainedModel model)
{
    /// <summary>The name of the input of samples without columns, and what begins those of columns without names.</summary>
    private const string Plain = "input";

    private const string Number = "a number; NaN where it is missing";
    private const string Word = "a word; an empty text where it is missing";

    /// <summary>Adds the inputs.</summary>
    /// <returns>[batch, values of a sample], what the network sees.</returns>
    public GraphValue Add()
    {
        var preprocessing = model.Preprocessing;
        if (preprocessing.Table is { } table)
            return Encoded(table);
        if (preprocessing.ByteDivisor is { } divisor)
            return Scaled(graph.Input(Plain, GraphType.Byte, "raw values", SizesOf(model.InputShape)), divisor);
        if (model.Description.Columns is not { } columns)
            return Standardized(graph.Input(Plain, GraphType.Double, "raw values", SizesOf(model.InputShape)), model.InputShape);
        GraphValue[] numbers = [.. columns.Features.Select((_, column) => Column(column, GraphType.Double, Number))];
        return Standardized(graph.Join(numbers), new SampleShape(1, 1, numbers.Length));
    }

    private static int[] SizesOf(SampleShape shape) =>
        shape is { Channels: 1, Height: 1 } ? [shape.Width] : [shape.Channels, shape.Height, shape.Width];

    private GraphValue Column(int column, GraphType type, string description)
    {
        var name = model.Description.Columns?.Features[column] ?? "";
        var place = column.ToString(CultureInfo.InvariantCulture);
        return graph.Input(name.Length > 0 ? name : $"{Plain}_{place}", type, description, 1);
    }

    private GraphValue Scaled(GraphValue bytes, float divisor) =>
        graph.Add("Div", [graph.Cast(bytes, GraphType.Float), graph.Constant([divisor])]);

    /// <summary>Columns of numbers alone: a gap is filled with the mean, where there is one.</summary>
    private GraphValue Standardized(GraphValue raw, SampleShape shape)
    {
        var preprocessing = model.Preprocessing;
        return preprocessing.Means.Count == 0
            ? graph.Cast(raw, GraphType.Float)
            : Standardized(Filled(raw, IsGap(raw, []), preprocessing.Means, shape), preprocessing.Means, preprocessing.Deviations, shape);
    }

    /// <summary>Columns of which some hold words or had gaps in training: [numbers, indicators of gaps, ids].</summary>
    private GraphValue Encoded(TableEncoding table)
    {
        // In the order of the columns; the values of a sample have another.
        GraphValue[] columns =
        [
            .. table.Columns.Select(
                (encoding, column) =>
                    encoding is NumberEncoding ? Column(column, GraphType.Double, Number) : Column(column, GraphType.Text, Word)
            ),
        ];
        var inputs = columns.Zip(table.Columns).ToList();
        List<GraphValue> parts = [];
        NumberEncoding[] numbers = [.. table.Columns.OfType<NumberEncoding>()];
        if (numbers.Length > 0)
        {
            var raw = graph.Join([.. inputs.Where(input => input.Second is NumberEncoding).Select(input => input.First)]);
            parts.AddRange(Numbers(raw, numbers, new GapTexts(table.Missing)));
        }

        foreach (var (input, encoding) in inputs)
        {
            if (encoding is CategoryEncoding category)
                parts.Add(graph.Cast(Ids(input, category, table.Missing), GraphType.Float));
        }

        return graph.Join(parts);
    }

    private IEnumerable<GraphValue> Numbers(GraphValue raw, NumberEncoding[] numbers, GapTexts gaps)
    {
        SampleShape shape = new(1, 1, numbers.Length);
        var isGap = IsGap(raw, gaps.Numbers);
        var filled = Filled(raw, isGap, [.. numbers.Select(number => number.Fill)], shape);
        yield return Standardized(
            filled,
            [.. numbers.Select(number => number.Mean)],
            [.. numbers.Select(number => number.Deviation)],
            shape
        );
        long[] indicated = [.. numbers.Index().Where(number => number.Item.HasGaps).Select(number => (long)number.Index)];
        if (indicated.Length == 0)
            yield break;
        var indicators = graph.Cast(isGap, GraphType.Float);
        yield return graph.Add("Gather", [indicators, graph.Constant(indicated, indicated.Length)], GraphAttribute.Of("axis", 1));
    }

    private GraphValue IsGap(GraphValue raw, IReadOnlyList<double> gaps)
    {
        var isGap = graph.Add("IsNaN", [raw]);
        foreach (var gap in gaps)
            isGap = graph.Add("Or", [isGap, graph.Add("Equal", [raw, graph.Constant([gap])])]);
        return isGap;
    }

    private GraphValue Filled(GraphValue raw, GraphValue isGap, IReadOnlyList<double> fills, SampleShape shape) =>
        graph.Add("Where", [isGap, graph.Constant([.. fills], SizesOf(shape)), raw]);

    /// <summary>In double precision until the mean is subtracted: 1.6e9 plus seconds is one number in single precision.</summary>
    private GraphValue Standardized(GraphValue raw, IReadOnlyList<double> means, IReadOnlyList<double> deviations, SampleShape shape)
    {
        var distance = graph.Add("Sub", [raw, graph.Constant([.. means], SizesOf(shape))]);
        var quotient = graph.Add("Div", [distance, graph.Constant([.. deviations], SizesOf(shape))]);
        return graph.Cast(quotient, GraphType.Float);
    }

    /// <summary>The ids of words: those that stand for gaps have that of the empty one, and words that are not known have 0.</summary>
    private GraphValue Ids(GraphValue words, CategoryEncoding category, IReadOnlyList<string> missing)
    {
        var ids = category.Ids();
        foreach (var text in missing)
            ids[text] = ids.GetValueOrDefault("");
        string[] known = [.. ids.Keys.DefaultIfEmpty("")]; // the operator needs one
        return graph.Add(
            "LabelEncoder",
            OnnxModel.MachineLearning,
            [words],
            GraphAttribute.Of("keys_strings", known),
            GraphAttribute.Of("values_int64s", [.. known.Select(word => (long)ids.GetValueOrDefault(word))]),
            GraphAttribute.Of("default_int64", 0)
        );
    }
}
