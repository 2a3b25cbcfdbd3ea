using System.Globalization;
using System.Text.Json;
using Distributed.Graphs;
using Distributed.Kernels;

namespace Distributed.Model.Layers;

/// <summary>
/// Replaces each number by its piecewise-linear encoding (<see cref="PiecewiseLinear"/>); ids pass through behind. A model file gives the
/// number of bins, and a run the edges that it has found in its training data.
/// </summary>
internal sealed record PiecewiseSpec : InputLayerSpec
{
    /// <summary>The most bins of a column.</summary>
    public const int MaximumBins = 256;

    /// <summary>
    /// The most edges of a layer: the model goes to the workers as text, of about 15 bytes an edge, in one message of 4 MiB.
    /// </summary>
    public const int MaximumEdges = 200_000;

    internal const string TypeName = "piecewise";
    private const string BinsName = "bins";
    private const string OverName = "over";
    private const string EdgesName = "edges";

    /// <summary>Creates a layer whose edges are to be found in the training data.</summary>
    /// <param name="bins">The most bins of a column, 1 to <see cref="MaximumBins"/>.</param>
    /// <param name="over">What their edges are quantiles of.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is out of range.</exception>
    public PiecewiseSpec(int bins, PiecewiseOver over = PiecewiseOver.Values)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bins, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bins, MaximumBins);
        (Bins, Over) = (bins, over);
    }

    /// <summary>Creates a layer of given edges.</summary>
    /// <param name="edges">Of each column of numbers, at least one: 2 to <see cref="MaximumBins"/> + 1 finite numbers, ascending.</param>
    /// <exception cref="ArgumentException">The edges are not like that.</exception>
    public PiecewiseSpec(IEnumerable<IReadOnlyList<float>> edges)
    {
        Edges = [.. edges.Select(column => (IReadOnlyList<float>)[.. column])];
        if (Edges.Count == 0 || !Edges.All(AreEdges))
            throw new ArgumentException("edges are finite and ascending, at least two for each column", nameof(edges));
    }

    /// <summary>The most bins of a column; 0 where edges are given.</summary>
    public int Bins { get; }

    /// <summary>What edges will be quantiles of.</summary>
    public PiecewiseOver Over { get; }

    /// <summary>The edges of each column of numbers; empty until they are found.</summary>
    public IReadOnlyList<IReadOnlyList<float>> Edges { get; } = [];

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <inheritdoc/>
    public bool Equals(PiecewiseSpec? other) =>
        other is not null
        && (Bins, Over, Edges.Count) == (other.Bins, other.Over, other.Edges.Count)
        && Edges.Zip(other.Edges, (left, right) => left.SequenceEqual(right)).All(isEqual => isEqual);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Bins, Over, Edges.Count);

    internal static PiecewiseSpec Read(LayerFields fields)
    {
        var hasBins = fields.Find(BinsName) is not null;
        var over = fields.Find(OverName);
        if (fields.Find(EdgesName) is not JsonElement edges)
            return new PiecewiseSpec(fields.RequireInteger(BinsName, 1, MaximumBins), ReadOver(fields, over));
        if (hasBins || over is not null)
            throw fields.Error($"it has '{EdgesName}' and '{(hasBins ? BinsName : OverName)}', by which edges are found: keep one of them");
        return new PiecewiseSpec(ReadEdges(fields, edges));
    }

    /// <inheritdoc/>
    internal override void WriteProperties(Utf8JsonWriter writer)
    {
        if (Edges.Count == 0)
        {
            writer.WriteNumber(BinsName, Bins);
            writer.WriteString(OverName, NameOf(Over));
            return;
        }

        writer.WriteStartArray(EdgesName);
        foreach (var column in Edges)
        {
            writer.WriteStartArray();
            foreach (var edge in column)
                writer.WriteNumberValue(edge);
            writer.WriteEndArray();
        }

        writer.WriteEndArray();
    }

    /// <inheritdoc/>
    /// <remarks>Sorts one column after the other, so that it needs the memory of one.</remarks>
    internal override LayerSpec Fitted(InputColumns input, ITrainingColumns training)
    {
        if (Edges.Count > 0 || input.NumberCount == 0)
            return this;
        var values = new float[training.Rows];
        var edges = new float[input.NumberCount][];
        for (var column = 0; column < edges.Length; column++)
        {
            training.Copy(column, values);
            edges[column] = PiecewiseEdges.Of(values, Bins, Over);
        }

        return new PiecewiseSpec(edges);
    }

    /// <inheritdoc/>
    internal override (Layer Layer, InputColumns Output) Resolve(InputColumns input)
    {
        if (input.NumberCount == 0)
            throw new InputException("the data has no columns of numbers: leave the layer out");
        if (Edges.Count == 0)
            throw new InputException($"its edges have not been found: '{BinsName}' is for a run, which takes them from its training data");
        if (Edges.Count != input.NumberCount)
            throw new InputException($"'{EdgesName}' is for {Edges.Count} numbers, but a sample has {input.NumberCount}: list all");
        var edges = Edges.Sum(column => (long)column.Count);
        if (edges > MaximumEdges)
            throw new InputException($"the {Edges.Count} columns of numbers have {edges} edges, more than {MaximumEdges}: use fewer bins");
        var bins = (int)edges - Edges.Count;
        SampleShape output = new(1, 1, checked(bins + input.Categories.Count));
        return (new PiecewiseLayer(input.Shape, output, new PiecewiseBins(Edges)), new InputColumns(output, input.Categories));
    }

    private static PiecewiseOver ReadOver(LayerFields fields, JsonElement? over)
    {
        if (over is not JsonElement value)
            return PiecewiseOver.Values;
        foreach (var known in Enum.GetValues<PiecewiseOver>())
        {
            if (value.ValueKind == JsonValueKind.String && value.GetString() == NameOf(known))
                return known;
        }

        throw fields.WrongValue(OverName, value, "\"values\", \"rows\" or \"both\"");
    }

    private static IEnumerable<float[]> ReadEdges(LayerFields fields, JsonElement list)
    {
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() == 0)
            throw fields.WrongValue(EdgesName, list, "a list of edges for each column of numbers");
        return list.EnumerateArray()
            .Select(
                (column, index) =>
                    ReadColumn(column) is float[] edges && AreEdges(edges)
                        ? edges
                        : throw fields.WrongValue($"{EdgesName}[{index}]", column, $"2 to {MaximumBins + 1} finite numbers, ascending")
            );
    }

    private static float[]? ReadColumn(JsonElement column)
    {
        if (column.ValueKind != JsonValueKind.Array)
            return null;
        var edges = new float[column.GetArrayLength()];
        for (var i = 0; i < edges.Length; i++)
        {
            if (column[i].ValueKind != JsonValueKind.Number || !column[i].TryGetSingle(out edges[i]))
                return null;
        }

        return edges;
    }

    private static bool AreEdges(IReadOnlyList<float> edges)
    {
        if (edges.Count is < 2 or > MaximumBins + 1 || !edges.All(float.IsFinite))
            return false;
        return edges.Skip(1).Zip(edges, (upper, lower) => upper > lower).All(isAscending => isAscending);
    }

    private static string NameOf(PiecewiseOver over) => over.ToString().ToLowerInvariant();
}

/// <summary>A piecewise-linear encoding with its edges.</summary>
/// <param name="input">Shape of one sample: numbers, and ids behind them.</param>
/// <param name="output">One value for each bin, and the same ids.</param>
/// <param name="bins">The bins.</param>
internal sealed class PiecewiseLayer(SampleShape input, SampleShape output, PiecewiseBins bins) : Layer(input, output)
{
    /// <inheritdoc/>
    internal override ElementOrder Order => ElementOrder.Planar;

    /// <inheritdoc/>
    internal override bool BackwardReadsInput => false;

    /// <inheritdoc/>
    internal override string Description =>
        string.Create(CultureInfo.InvariantCulture, $"piecewise of {bins.Columns} columns in {bins.Count}");

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new PiecewiseExecutor(this, bins, options);

    /// <inheritdoc/>
    internal override GraphValue AddTo(IOperatorGraph graph, GraphValue input, ReadOnlySpan<GraphValue> parameters)
    {
        var vector = graph.AsVector(input);
        long[] columns = [.. Enumerable.Range(0, bins.Columns).SelectMany(column => Enumerable.Repeat((long)column, bins.Counts[column]))];
        var numbers = graph.Add("Gather", [vector, graph.Constant(columns, bins.Count)], GraphAttribute.Of("axis", 1));
        var distance = graph.Add("Sub", [numbers, graph.Constant(bins.Lower, bins.Count)]);
        var value = graph.Add("Div", [distance, graph.Constant(bins.Width, bins.Count)]);
        value = graph.Add("Max", [value, graph.Constant(bins.Floor, bins.Count)]);
        value = graph.Add("Min", [value, graph.Constant(bins.Ceiling, bins.Count)]);
        var others = InputLength - bins.Columns;
        return others == 0 ? value : graph.Join([value, graph.Slice(vector, bins.Columns, others)]);
    }
}

/// <summary>Runs a <see cref="PiecewiseLayer"/>.</summary>
internal sealed class PiecewiseExecutor(PiecewiseLayer layer, PiecewiseBins bins, ExecutorOptions options) : LayerExecutor(layer)
{
    private readonly int _inputLength = layer.InputLength;

    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass) =>
        PiecewiseLinear.Encode(input, _inputLength, bins, output, options.Team);

    /// <inheritdoc/>
    internal override void Backward(in BackwardPass backward) =>
        throw new NotSupportedException("nothing before the layer is trained, and it has nothing to train itself");
}
