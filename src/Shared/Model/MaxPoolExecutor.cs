using Distributed.Kernels;

namespace Distributed.Model;

/// <summary>Runs a <see cref="PoolLayer"/> of maxima.</summary>
internal sealed class MaxPoolExecutor(PoolLayer layer, ExecutorOptions options) : LayerExecutor(layer, options.MaximumRows)
{
    private readonly AlignedBuffer _winners = Reserve(options.MaximumRows, layer.OutputLength);
    private bool _maskRelu;

    /// <inheritdoc/>
    internal override bool AbsorbGradient(Activation activation) => _maskRelu = activation == Activation.Relu;

    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, in Pass pass)
    {
        Span<float> output = Output.Span[..(rows * OutputLength)];
        Span<float> winners = pass.Training && options.NeedsInputGradient ? _winners.Span[..output.Length] : [];
        MaxPooling.Forward(input, layer.Shape, rows, output, winners, _maskRelu, options.Team);
    }

    /// <inheritdoc/>
    internal override void Backward(
        ReadOnlySpan<float> input,
        int rows,
        Span<float> outputGradient,
        Span<float> inputGradient,
        Span<float> parameterGradient,
        in Pass pass,
        IBackwardProgress? progress)
    {
        if (options.NeedsInputGradient)
            MaxPooling.Backward(_winners.Span[..outputGradient.Length], outputGradient, layer.Shape, rows, inputGradient, options.Team);
    }
}
