using Distributed.Kernels;
using Distributed.Kernels.Normalization;

namespace Distributed.Model;

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
        var wanted = options.NeedsInputGradient ? inputGradient : [];
        LayerNormalization.Backward(
            input,
            Weight,
            Statistics(rows),
            options.Microbatch,
            outputGradient,
            wanted,
            parameterGradient,
            options.Team
        );
    }

    private Span<float> Statistics(int rows) => _statistics.Span[..(rows * LayerNormalization.Statistics)];
}
