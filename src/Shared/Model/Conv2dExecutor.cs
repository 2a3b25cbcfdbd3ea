using Distributed.Kernels;
using Distributed.Kernels.Convolutions;
using Distributed.Kernels.Threads;

namespace Distributed.Model;

/// <summary>
/// Runs a <see cref="Conv2dLayer"/>. Bias and activation are part of the forward kernel; weights are packed once, when they are bound.
/// </summary>
internal sealed class Conv2dExecutor : LayerExecutor
{
    private readonly Conv2dLayer _layer;
    private readonly Activation _activation;
    private readonly ExecutorOptions _options;
    private readonly Convolution _convolution;

    /// <summary>Reserves what the kernels need.</summary>
    internal Conv2dExecutor(Conv2dLayer layer, Activation activation, ExecutorOptions options)
        : base(layer)
    {
        _layer = layer;
        _activation = activation;
        _options = options;
        _convolution = Create(layer, options);
    }

    /// <summary>Whether the forward kernel knows a function.</summary>
    internal static bool CanApply(Activation activation) => activation is Activation.Relu or Activation.Tanh or Activation.Sigmoid;

    /// <inheritdoc/>
    internal override void BindWeights(ReadOnlyMemory<float> parameters)
    {
        var weights = _layer.Shape.WeightLength;
        _convolution.BindWeights(parameters.Span[..weights], parameters.Span[weights..], _options.Team);
    }

    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass)
    {
        switch (_activation)
        {
            case Activation.None:
                _convolution.Forward<IdentityActivation>(input, rows, output, _options.Team);
                break;
            case Activation.Relu:
                _convolution.Forward<ReluActivation>(input, rows, output, _options.Team);
                break;
            case Activation.Tanh:
                _convolution.Forward<TanhActivation>(input, rows, output, _options.Team);
                break;
            case Activation.Sigmoid:
                _convolution.Forward<SigmoidActivation>(input, rows, output, _options.Team);
                break;
            default:
                throw new InvalidOperationException($"{_activation} is not part of the kernel");
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
        if (!_options.LeavesActivationGradient)
            ActivationFunctions.ApplyGradient(_activation, output, outputGradient, _options.Team);
        AddGradient(input, outputGradient, rows, parameterGradient, pass);
        if (_options.NeedsInputGradient)
            _convolution.InputGradient(outputGradient, rows, inputGradient, _options.Team);
    }

    /// <inheritdoc/>
    internal override void JoinLanes(in PassSegment stretch, int passRows, Span<float> parameterGradient)
    {
        var weights = _layer.Shape.WeightLength;
        _convolution.JoinLanes(stretch, passRows, parameterGradient[..weights], parameterGradient[weights..], _options.Team);
    }

    private void AddGradient(
        ReadOnlySpan<float> input,
        ReadOnlySpan<float> outputGradient,
        int rows,
        Span<float> parameterGradient,
        in Pass pass
    )
    {
        var weights = _layer.Shape.WeightLength;
        if (pass.ThreadRows.Rows > 0)
        {
            var biases = parameterGradient.Length > weights;
            _convolution.LaneGradient(
                input,
                outputGradient,
                rows,
                pass.RowsBefore - pass.ThreadRows.FirstRow,
                pass.ThreadRows,
                biases,
                _options.Team
            );
            return;
        }

        _convolution.ParameterGradient(
            input,
            outputGradient,
            rows,
            pass.RowsBefore,
            pass.RowsBefore + rows + pass.RowsAfter,
            parameterGradient[..weights],
            parameterGradient[weights..],
            _options.Team
        );
    }

    private static Convolution Create(Conv2dLayer layer, ExecutorOptions options)
    {
        try
        {
            return new Convolution(layer.Shape, options.MaximumRows, options.Microbatch, options.NeedsInputGradient, options.Lanes);
        }
        catch (OverflowException failure)
        {
            throw new InputException(
                $"{layer.Description}: what its kernels need does not fit in one array: use a smaller kernel or fewer channels",
                failure
            );
        }
    }
}
