using System.Text.Json;
using Distributed.Graphs;
using Distributed.Kernels;
using Distributed.Kernels.Normalization;

namespace Distributed.Model.Layers;

/// <summary>Layer normalisation over all values of a sample, with a weight and a bias for each of them.</summary>
internal sealed record LayerNormSpec : LayerSpec
{
    /// <summary>What is added to variances, where a model file says nothing.</summary>
    public const float DefaultEpsilon = 1e-5f;

    internal const string TypeName = "layernorm";

    /// <summary>Creates a layer.</summary>
    /// <param name="epsilon">Added to variances, <see cref="BatchNormSpec.MinimumEpsilon"/> to 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is out of range.</exception>
    public LayerNormSpec(float epsilon = DefaultEpsilon)
    {
        if (!(epsilon >= BatchNormSpec.MinimumEpsilon && epsilon <= 1))
            throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, $"an epsilon is from {BatchNormSpec.MinimumEpsilon} to 1");
        Epsilon = epsilon;
    }

    /// <summary>Added to variances.</summary>
    public float Epsilon { get; }

    /// <inheritdoc/>
    public override string Type => TypeName;

    internal static LayerNormSpec Read(LayerFields fields) =>
        new(fields.OptionalNumber("epsilon", BatchNormSpec.MinimumEpsilon, 1, DefaultEpsilon));

    internal override void WriteProperties(Utf8JsonWriter writer) => writer.WriteNumber("epsilon", Epsilon);

    internal override Layer Resolve(SampleShape input) => new LayerNormLayer(input, Epsilon);
}

/// <summary>Layer normalisation; weight and bias have the shape of a sample, as those of <c>torch.nn.LayerNorm(sample.shape)</c>.</summary>
internal sealed class LayerNormLayer : Layer
{
    /// <summary>Settles the sizes.</summary>
    /// <param name="input">Shape of one sample.</param>
    /// <param name="epsilon">Added to variances.</param>
    internal LayerNormLayer(SampleShape input, float epsilon)
        : base(input, input)
    {
        Epsilon = epsilon;
        int[] shape = input switch
        {
            { Channels: 1, Height: 1 } => [input.Width],
            { Height: 1, Width: 1 } => [input.Channels],
            _ => [input.Channels, input.Height, input.Width],
        };
        Parameters = [new("weight", shape, InitialValues.Constant(1)), new("bias", shape, InitialValues.Constant(0))];
    }

    /// <summary>Added to variances.</summary>
    internal float Epsilon { get; }

    /// <inheritdoc/>
    internal override ElementOrder Order => ElementOrder.Planar;

    /// <inheritdoc/>
    internal override IReadOnlyList<LayerParameter> Parameters { get; }

    /// <inheritdoc/>
    internal override string Description => LayerNormSpec.TypeName;

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new LayerNormExecutor(this, options);

    /// <inheritdoc/>
    internal override GraphValue AddTo(IOperatorGraph graph, GraphValue input, ReadOnlySpan<GraphValue> parameters)
    {
        var value = Parameters[0].Shape.Count == 1 ? graph.AsVector(input) : graph.AsImage(input, Input);
        return graph.Add("LayerNormalization", [value, .. parameters], GraphAttribute.Of("axis", 1), GraphAttribute.Of("epsilon", Epsilon));
    }
}

/// <summary>Runs a <see cref="LayerNormLayer"/>.</summary>
internal sealed class LayerNormExecutor(LayerNormLayer layer, ExecutorOptions options) : LayerExecutor(layer)
{
    private readonly AlignedBuffer _statistics = Reserve(options.MaximumRows, LayerNormalization.Statistics);
    private ReadOnlyMemory<float> _parameters;

    private ReadOnlySpan<float> Weight => _parameters.Span[..OutputLength];

    /// <inheritdoc/>
    internal override void BindWeights(ReadOnlyMemory<float> parameters) => _parameters = parameters;

    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass) =>
        LayerNormalization.Forward(input, Weight, _parameters.Span[OutputLength..], layer.Epsilon, Statistics(rows), output, options.Team);

    /// <inheritdoc/>
    internal override void Backward(in BackwardPass backward)
    {
        LayerNormalization.Backward(
            backward.Input,
            Weight,
            Statistics(backward.Rows),
            options.Microbatch,
            backward.OutputGradient,
            backward.InputGradient,
            backward.ParameterGradient,
            options.Team
        );
    }

    private Span<float> Statistics(int rows) => _statistics.Span[..(rows * LayerNormalization.Statistics)];
}
