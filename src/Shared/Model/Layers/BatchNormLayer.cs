using System.Text.Json;
using Distributed.Graphs;
using Distributed.Kernels;
using Distributed.Kernels.Normalization;

namespace Distributed.Model.Layers;

/// <summary>
/// Batch normalisation: in training, each channel of a microbatch is normalised by the microbatch's own mean and biased variance; in
/// evaluation, by their running values. A plain vector of features is normalised feature by feature.
/// </summary>
internal sealed record BatchNormSpec : LayerSpec
{
    /// <summary>How much of a running value is replaced in a step, where a model file says nothing.</summary>
    public const float DefaultMomentum = 0.1f;

    /// <summary>What is added to variances, where a model file says nothing.</summary>
    public const float DefaultEpsilon = 1e-5f;

    /// <summary>The smallest epsilon: with less, a channel without variance would overflow.</summary>
    public const float MinimumEpsilon = 1e-8f;

    internal const string TypeName = "batchnorm";

    /// <summary>Creates a layer.</summary>
    /// <param name="momentum">The part of a running value that a step replaces, 0 to 1.</param>
    /// <param name="epsilon">Added to variances, <see cref="MinimumEpsilon"/> to 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public BatchNormSpec(float momentum = DefaultMomentum, float epsilon = DefaultEpsilon)
    {
        if (!(momentum >= 0 && momentum <= 1))
            throw new ArgumentOutOfRangeException(nameof(momentum), momentum, "a momentum is from 0 to 1");
        if (!(epsilon >= MinimumEpsilon && epsilon <= 1))
            throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, $"an epsilon is from {MinimumEpsilon} to 1");
        Momentum = momentum;
        Epsilon = epsilon;
    }

    /// <summary>The part of a running value that a step replaces.</summary>
    public float Momentum { get; }

    /// <summary>Added to variances.</summary>
    public float Epsilon { get; }

    /// <inheritdoc/>
    public override string Type => TypeName;

    internal static BatchNormSpec Read(LayerFields fields) =>
        new(fields.OptionalNumber("momentum", 0, 1, DefaultMomentum), fields.OptionalNumber("epsilon", MinimumEpsilon, 1, DefaultEpsilon));

    internal override void WriteProperties(Utf8JsonWriter writer)
    {
        writer.WriteNumber("momentum", Momentum);
        writer.WriteNumber("epsilon", Epsilon);
    }

    internal override Layer Resolve(SampleShape input) => new BatchNormLayer(input, this);
}

/// <summary>Batch normalisation with one weight, bias, running mean and running variance for each channel, in PyTorch's order.</summary>
internal sealed class BatchNormLayer : Layer
{
    /// <summary>Settles the sizes.</summary>
    /// <param name="input">Shape of one sample.</param>
    /// <param name="spec">The layer as the user asked for it.</param>
    internal BatchNormLayer(SampleShape input, BatchNormSpec spec)
        : base(input, input)
    {
        var isVector = input is { Channels: 1, Height: 1 };
        Channels = isVector ? input.Width : input.Channels;
        Epsilon = spec.Epsilon;
        Parameters =
        [
            new("weight", [Channels], InitialValues.Constant(1)),
            new("bias", [Channels], InitialValues.Constant(0)),
            new("running_mean", [Channels], InitialValues.Constant(0), spec.Momentum),
            new("running_var", [Channels], InitialValues.Constant(1), spec.Momentum),
        ];
    }

    /// <summary>Values that are normalised apart from each other; the features of a plain vector.</summary>
    internal int Channels { get; }

    /// <summary>Added to variances.</summary>
    internal float Epsilon { get; }

    /// <inheritdoc/>
    internal override ElementOrder Order => ElementOrder.ChannelsLast;

    /// <inheritdoc/>
    internal override IReadOnlyList<LayerParameter> Parameters { get; }

    /// <inheritdoc/>
    internal override string Description => BatchNormSpec.TypeName;

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new BatchNormExecutor(this, options);

    /// <inheritdoc/>
    internal override GraphValue AddTo(IOperatorGraph graph, GraphValue input, ReadOnlySpan<GraphValue> parameters)
    {
        // The second dimension is the one that is normalised: features of a vector, channels of an image.
        var value = Channels == InputLength ? graph.AsVector(input) : graph.AsImage(input, Input);
        return graph.Add("BatchNormalization", [value, .. parameters], GraphAttribute.Of("epsilon", Epsilon));
    }
}

/// <summary>
/// Runs a <see cref="BatchNormLayer"/>. What its gradient holds in the places of the running statistics is the sum over the microbatches of
/// their samples times their mean or variance: it travels and is reduced like any gradient, and the update turns it into one step of the
/// running value.
/// </summary>
internal sealed class BatchNormExecutor : LayerExecutor
{
    private readonly ExecutorOptions _options;
    private readonly int _channels;
    private readonly int _positions;
    private readonly float _epsilon;
    private readonly AlignedBuffer _statistics;
    private readonly AlignedBuffer _partials;
    private ReadOnlyMemory<float> _parameters;

    /// <summary>Reserves what the microbatches leave for the gradient.</summary>
    internal BatchNormExecutor(BatchNormLayer layer, ExecutorOptions options)
        : base(layer)
    {
        _options = options;
        _channels = layer.Channels;
        _positions = layer.InputLength / layer.Channels;
        _epsilon = layer.Epsilon;
        var microbatches = ShapeOf(options.MaximumRows).Microbatches;
        _statistics = Reserve(microbatches, checked(BatchNormalizationShape.Statistics * _channels));
        _partials = Reserve(microbatches, checked(BatchNormalizationShape.Parameters * _channels));
    }

    private ReadOnlySpan<float> Weight => _parameters.Span[.._channels];

    private ReadOnlySpan<float> Bias => _parameters.Span.Slice(_channels, _channels);

    /// <inheritdoc/>
    internal override void BindWeights(ReadOnlyMemory<float> parameters) => _parameters = parameters;

    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass)
    {
        var shape = ShapeOf(rows);
        if (pass.Training)
        {
            BatchNormalization.Forward(
                input,
                shape,
                Weight,
                Bias,
                _epsilon,
                _statistics.Span[..shape.StatisticsLength],
                output,
                _options.Team
            );
        }
        else
        {
            BatchNormalization.Evaluate(input, shape, _parameters.Span, _epsilon, output, _options.Team);
        }
    }

    /// <inheritdoc/>
    internal override void Backward(in BackwardPass backward)
    {
        var shape = ShapeOf(backward.Rows);
        BatchNormalization.Backward(
            backward.Input,
            shape,
            Weight,
            _statistics.Span[..shape.StatisticsLength],
            backward.OutputGradient,
            backward.InputGradient,
            _partials.Span[..shape.PartialsLength],
            backward.ParameterGradient,
            _options.Team
        );
    }

    private BatchNormalizationShape ShapeOf(int rows) => new(rows, _positions, _channels, _options.Microbatch);
}
