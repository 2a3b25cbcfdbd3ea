using Distributed.Kernels;
using Distributed.Kernels.Pooling;

namespace Distributed.Model;

/// <summary>Runs a <see cref="PoolLayer"/> of maxima.</summary>
internal sealed class MaxPoolExecutor(PoolLayer layer, ExecutorOptions options) : LayerExecutor(layer)
{
    private readonly AlignedBuffer _winners = Reserve(options.MaximumRows, layer.OutputLength);

    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass)
    {
        var winners = pass.Training && options.NeedsInputGradient ? _winners.Span.Slice(pass.RowsBefore * OutputLength, output.Length) : [];
        MaxPooling.Forward(input, layer.Shape, rows, output, winners, options.Absorbed == Activation.Relu, options.Team);
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
        if (options.NeedsInputGradient)
        {
            var winners = _winners.Span.Slice(pass.RowsBefore * OutputLength, outputGradient.Length);
            MaxPooling.Backward(winners, outputGradient, layer.Shape, rows, inputGradient, options.Team);
        }
    }
}
