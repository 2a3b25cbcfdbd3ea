using Distributed.Kernels;

namespace Distributed.Model;

/// <summary>Runs a <see cref="DenseLayer"/>: Y = activation(X . W^T + b).</summary>
/// <remarks>
/// With G the gradient with respect to X . W^T + b: dW = G^T . X, db = the column sums of G, dX = G . W. The weights are packed
/// twice when they are bound, as W^T for the forward product and as W for dX.
/// </remarks>
internal sealed class DenseExecutor : LayerExecutor
{
    private readonly Activation _activation;
    private readonly ExecutorOptions _options;
    private readonly int _inputs;
    private readonly int _weightLength;
    private readonly PackedMatrix _transposedWeight; // [in, out]
    private readonly PackedMatrix? _weight; // [out, in]; absent where nothing asks for dX
    private ReadOnlyMemory<float> _bias;

    /// <summary>Reserves the packed weights and the output.</summary>
    internal DenseExecutor(DenseLayer layer, Activation activation, ExecutorOptions options)
        : base(layer, options.MaximumRows)
    {
        _activation = activation;
        _options = options;
        _inputs = layer.InputLength;
        _weightLength = _inputs * OutputLength;
        _transposedWeight = new PackedMatrix(_inputs, OutputLength);
        _weight = options.NeedsInputGradient ? new PackedMatrix(OutputLength, _inputs) : null;
    }

    /// <inheritdoc/>
    internal override void BindWeights(ReadOnlyMemory<float> parameters)
    {
        ReadOnlySpan<float> weight = parameters.Span[.._weightLength];
        _transposedWeight.PackTransposed(weight, _options.Team);
        _weight?.Pack(weight, _options.Team);
        _bias = parameters[_weightLength..];
    }

    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, in Pass pass)
    {
        Span<float> output = Output.Span[..(rows * OutputLength)];
        MatrixProduct.Multiply(input, rows, _transposedWeight, output, _options.Team);
        ActivationFunctions.ApplyWithBias(_activation, output, _bias.Span, _options.Team);
    }

    /// <inheritdoc/>
    internal override void Backward(
        ReadOnlySpan<float> input,
        int rows,
        Span<float> outputGradient,
        Span<float> inputGradient,
        Span<float> parameterGradient,
        in Pass pass)
    {
        (int microbatch, ComputeTeam team) = (_options.Microbatch, _options.Team);
        ActivationFunctions.ApplyGradient(_activation, Output.Span[..(rows * OutputLength)], outputGradient, team);
        MatrixProduct.TransposedProduct(outputGradient, OutputLength, input, _inputs, rows, microbatch, parameterGradient[.._weightLength], team);
        ColumnSums.Compute(outputGradient, OutputLength, rows, microbatch, parameterGradient[_weightLength..], team);
        if (_weight is not null)
            MatrixProduct.Multiply(outputGradient, rows, _weight, inputGradient, team);
    }
}
