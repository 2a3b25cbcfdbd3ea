using System.Globalization;
using System.Text.Json;
using Distributed.Graphs;
using Distributed.Kernels.Embeddings;

namespace Distributed.Model.Layers;

/// <summary>Replaces the id of each column of categories by the row of a table that is learnt; numbers pass through.</summary>
internal sealed record EmbeddingSpec : InputLayerSpec
{
    /// <summary>The most values that a category can become.</summary>
    public const int MaximumDimension = 4096;

    internal const string TypeName = "embedding";
    private const string DimensionName = "dimension";
    private const string DimensionsName = "dimensions";
    private const int LargestDefault = 16;

    /// <summary>Creates a layer whose dimensions follow from the number of categories.</summary>
    public EmbeddingSpec() { }

    /// <summary>Creates a layer of one dimension for all columns.</summary>
    /// <param name="dimension">Values of a row, 1 to <see cref="MaximumDimension"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is out of range.</exception>
    public EmbeddingSpec(int dimension) => Dimension = Checked(dimension, nameof(dimension));

    /// <summary>Creates a layer of one dimension for each column.</summary>
    /// <param name="dimensions">Values of a row of each table, 1 to <see cref="MaximumDimension"/>; at least one.</param>
    /// <exception cref="ArgumentException">There is none, or a number is out of range.</exception>
    public EmbeddingSpec(IEnumerable<int> dimensions)
    {
        Dimensions = [.. dimensions.Select(dimension => Checked(dimension, nameof(dimensions)))];
        if (Dimensions.Count == 0)
            throw new ArgumentException("an embedding needs columns", nameof(dimensions));
    }

    /// <summary>Values of a row of any table; null where <see cref="Dimensions"/> has them, or the number of categories decides.</summary>
    public int? Dimension { get; }

    /// <summary>Values of a row of each table; null where they are not given one by one.</summary>
    public IReadOnlyList<int>? Dimensions { get; }

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>
    /// Values of a row where a model file says nothing: half of the categories, as many as are needed to tell few of them apart, up to 16.
    /// </summary>
    internal static int DefaultDimension(int categories) => Math.Min(LargestDefault, (categories + 3) / 2);

    /// <inheritdoc/>
    public bool Equals(EmbeddingSpec? other) =>
        other is not null && Dimension == other.Dimension && (Dimensions ?? []).SequenceEqual(other.Dimensions ?? []);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Dimension, Dimensions?.Count, Dimensions?[0]);

    internal static EmbeddingSpec Read(LayerFields fields)
    {
        var isOne = fields.Find(DimensionName) is not null;
        if (fields.Find(DimensionsName) is not JsonElement list)
            return isOne ? new EmbeddingSpec(fields.RequireInteger(DimensionName, 1, MaximumDimension)) : new EmbeddingSpec();
        if (isOne)
            throw fields.Error($"it has both '{DimensionName}' and '{DimensionsName}': keep one of them");
        return new EmbeddingSpec(ReadDimensions(fields, list));
    }

    /// <inheritdoc/>
    internal override void WriteProperties(Utf8JsonWriter writer)
    {
        if (Dimension is int dimension)
            writer.WriteNumber(DimensionName, dimension);
        if (Dimensions is null)
            return;
        writer.WriteStartArray(DimensionsName);
        foreach (var one in Dimensions)
            writer.WriteNumberValue(one);
        writer.WriteEndArray();
    }

    /// <inheritdoc/>
    internal override LayerSpec Fitted(InputColumns input, ITrainingColumns training) =>
        Dimensions is null && input.Categories.Count > 0 ? new EmbeddingSpec(DimensionsFor(input.Categories)) : this;

    /// <inheritdoc/>
    internal override (Layer Layer, InputColumns Output) Resolve(InputColumns input)
    {
        if (input.Categories.Count == 0)
            throw new InputException("the data has no columns of categories: leave the layer out");
        int[] dimensions = [.. DimensionsFor(input.Categories)];
        if (dimensions.Length != input.Categories.Count)
        {
            throw new InputException(
                $"'{DimensionsName}' has {dimensions.Length} numbers, but the data has {input.Categories.Count} columns of categories: "
                    + "give one for each, or leave them out"
            );
        }

        var length = dimensions.Aggregate(input.NumberCount, (sum, dimension) => checked(sum + dimension));
        EmbeddingLayer layer = new(input, dimensions, new SampleShape(1, 1, length));
        return (layer, layer.Output);
    }

    private static IEnumerable<int> ReadDimensions(LayerFields fields, JsonElement list)
    {
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() == 0)
            throw fields.WrongValue(DimensionsName, list, "a list of whole numbers, one for each column of categories");
        return list.EnumerateArray()
            .Select(
                (value, index) =>
                    value.ValueKind == JsonValueKind.Number
                    && value.TryGetInt32(out var dimension)
                    && dimension is >= 1 and <= MaximumDimension
                        ? dimension
                        : throw fields.WrongValue($"{DimensionsName}[{index}]", value, $"a whole number from 1 to {MaximumDimension}")
            );
    }

    private static int Checked(int dimension, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, 1, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(dimension, MaximumDimension, name);
        return dimension;
    }

    private IEnumerable<int> DimensionsFor(IReadOnlyList<CategoryColumn> categories) =>
        Dimensions ?? categories.Select(column => Dimension ?? DefaultDimension(column.Size));
}

/// <summary>One table for each column of categories, [size, dimension], as the weight of <c>torch.nn.Embedding</c>.</summary>
internal sealed class EmbeddingLayer : Layer
{
    /// <summary>
    /// Initial values are uniform with a variance of 1, that of a standardised number: the dense layer that follows draws its own weights
    /// for inputs of that variance, and each value of a row then begins with the same say as a number. PyTorch draws from N(0, 1), of the
    /// same variance; Gorishniy et al. ("Revisiting deep learning models for tabular data", 2021) uniformly up to 1/sqrt(dimension), by
    /// which a whole row has a third of the say of a number.
    /// </summary>
    private static readonly InitialValues Initial = InitialValues.Uniform((float)Math.Sqrt(3));

    private readonly InputColumns _columns;
    private readonly int[] _dimensions;

    /// <summary>Settles the sizes.</summary>
    /// <param name="columns">What samples are made of.</param>
    /// <param name="dimensions">Values of a row of each table.</param>
    /// <param name="output">Numbers and a row of each table.</param>
    internal EmbeddingLayer(InputColumns columns, int[] dimensions, SampleShape output)
        : base(columns.Shape, output)
    {
        (_columns, _dimensions) = (columns, dimensions);
        Parameters =
        [
            .. columns.Categories.Zip(dimensions, (column, dimension) =>
                new LayerParameter($"{column.Name}.weight", [column.Size, dimension], Initial)
            ),
        ];
    }

    /// <inheritdoc/>
    internal override ElementOrder Order => ElementOrder.Planar;

    /// <inheritdoc/>
    internal override IReadOnlyList<LayerParameter> Parameters { get; }

    /// <inheritdoc/>
    internal override long KeptLength => _dimensions.Length; // the ids

    /// <inheritdoc/>
    internal override bool BackwardReadsInput => false;

    /// <inheritdoc/>
    internal override string Description =>
        string.Create(CultureInfo.InvariantCulture, $"embedding of {_dimensions.Length} columns in {_dimensions.Sum()}");

    /// <summary>What the kernel takes; only for a model whose parameters have been found to fit into a flat vector.</summary>
    internal EmbeddingShape Shape() =>
        new(
            _columns.NumberCount,
            [.. _columns.Categories.Zip(_dimensions, (column, dimension) => new EmbeddingTable(column.Size, dimension))]
        );

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new EmbeddingExecutor(this, options);

    /// <inheritdoc/>
    internal override GraphValue AddTo(IOperatorGraph graph, GraphValue input, ReadOnlySpan<GraphValue> parameters)
    {
        var (vector, numbers) = (graph.AsVector(input), _columns.NumberCount);
        List<GraphValue> parts = numbers > 0 ? [graph.Slice(vector, 0, numbers)] : [];
        for (var column = 0; column < parameters.Length; column++)
        {
            var id = graph.Add("Gather", [vector, graph.Constant([(long)numbers + column])], GraphAttribute.Of("axis", 1));
            var row = graph.Add("Gather", [parameters[column], graph.Cast(id, GraphType.Integer)]);
            parts.Add(row with { IsVector = true });
        }

        return graph.Join(parts);
    }
}

/// <summary>Runs an <see cref="EmbeddingLayer"/>.</summary>
internal sealed class EmbeddingExecutor(EmbeddingLayer layer, ExecutorOptions options) : LayerExecutor(layer)
{
    private readonly EmbeddingIds _ids = new(layer.Shape(), options.MaximumRows);
    private ReadOnlyMemory<float> _tables;

    /// <inheritdoc/>
    internal override void BindWeights(ReadOnlyMemory<float> parameters) => _tables = parameters;

    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass)
    {
        _ids.Read(input);
        Embedding.LookUp(input, _ids, _tables.Span, output, options.Team);
    }

    /// <inheritdoc/>
    internal override void Backward(in BackwardPass backward) =>
        Embedding.Gradient(
            _ids,
            backward.OutputGradient,
            options.Microbatch,
            backward.ParameterGradient,
            options.Team,
            backward.Pass.Touched
        );
}
