using Distributed.Kernels;
using Distributed.Kernels.Products;

namespace Distributed.Model;

/// <summary>Runs a <see cref="DenseLayer"/>: Y = activation(X . W^T + b).</summary>
/// <remarks>With G the gradient with respect to X . W^T + b: dW = G^T . X, db = the column sums of G, dX = G . W.</remarks>
internal sealed class DenseExecutor : LayerExecutor
{
    /// <summary>
    /// Elements of weights whose gradient, where it ends the backward pass, is completed in two halves: exchange and update of the first
    /// then hide behind the products of the second. A step of mlp:2048,2048 on two threads takes 1 % less time; below 4 MiB packing twice
    /// costs as much.
    /// </summary>
    private const int ElementsInHalves = 1024 * 1024;

    private readonly Activation _activation;
    private readonly ExecutorOptions _options;
    private readonly int _inputs;
    private readonly int _weightLength;
    private ReadOnlyMemory<float> _weight; // [out, in]
    private ReadOnlyMemory<float> _bias; // [out]

    /// <summary>Remembers the sizes.</summary>
    internal DenseExecutor(DenseLayer layer, Activation activation, ExecutorOptions options)
        : base(layer)
    {
        _activation = activation;
        _options = options;
        _inputs = layer.InputLength;
        _weightLength = _inputs * OutputLength;
    }

    /// <inheritdoc/>
    internal override void BindWeights(ReadOnlyMemory<float> parameters)
    {
        _weight = parameters[.._weightLength];
        _bias = parameters[_weightLength..];
    }

    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass)
    {
        var epilogue = ActivationFunctions.BiasEpilogue(_activation, _bias.Span);
        MatrixProduct.MultiplyTransposed(input, rows, _weight.Span, _inputs, OutputLength, output, _options.Team, epilogue);
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
        var (microbatch, team) = (_options.Microbatch, _options.Team);
        if (!_options.LeavesActivationGradient)
            ActivationFunctions.ApplyGradient(_activation, output, outputGradient, team);
        ColumnSums.Compute(outputGradient, OutputLength, rows, microbatch, parameterGradient[_weightLength..], team);
        var half = !_options.NeedsInputGradient && _weightLength >= ElementsInHalves ? OutputLength / 2 : 0;
        WeightGradient(half..OutputLength, input, rows, outputGradient, parameterGradient, progress);
        if (half > 0)
            WeightGradient(0..half, input, rows, outputGradient, parameterGradient, progress);
        if (!_options.NeedsInputGradient)
            return;
        var epilogue = ActivationFunctions.GradientEpilogue(_options.Absorbed, input);
        MatrixProduct.Multiply(outputGradient, rows, _weight.Span, OutputLength, _inputs, inputGradient, team, epilogue);
    }

    /// <summary>The gradient of the weights of some outputs, which is then complete from there on.</summary>
    private void WeightGradient(
        Range outputs,
        ReadOnlySpan<float> input,
        int rows,
        ReadOnlySpan<float> outputGradient,
        Span<float> parameterGradient,
        IBackwardProgress? progress
    )
    {
        var (first, end) = (outputs.Start.Value * _inputs, outputs.End.Value * _inputs);
        MatrixProduct.TransposedProductRows(
            outputGradient,
            OutputLength,
            outputs,
            input,
            _inputs,
            rows,
            _options.Microbatch,
            parameterGradient[first..end],
            _options.Team
        );
        progress?.CompletedFrom(first);
    }
}
