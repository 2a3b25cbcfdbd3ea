using Distributed.Kernels;
using Distributed.Kernels.Normalization;

namespace Distributed.Model;

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
    internal override void Backward(
        ReadOnlySpan<float> input,
        ReadOnlySpan<float> output,
        int rows,
        Span<float> outputGradient,
        Span<float> inputGradient,
        Span<float> parameterGradient,
        in Pass pass,
        IBackwardProgress? progress
    )
    {
        var shape = ShapeOf(rows);
        BatchNormalization.Backward(
            input,
            shape,
            Weight,
            _statistics.Span[..shape.StatisticsLength],
            outputGradient,
            _options.NeedsInputGradient ? inputGradient : [],
            _partials.Span[..shape.PartialsLength],
            parameterGradient,
            _options.Team
        );
    }

    private BatchNormalizationShape ShapeOf(int rows) => new(rows, _positions, _channels, _options.Microbatch);
}
