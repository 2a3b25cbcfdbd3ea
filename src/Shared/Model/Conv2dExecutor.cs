using Distributed.Kernels;

namespace Distributed.Model;

/// <summary>Runs a <see cref="Conv2dLayer"/>. Bias and activation are part of the forward kernel; weights are packed once, when they are bound.</summary>
internal sealed class Conv2dExecutor : LayerExecutor
{
    private readonly Conv2dLayer _layer;
    private readonly Activation _activation;
    private readonly ExecutorOptions _options;
    private readonly Convolution _convolution;
    private bool _activationGradientIsTaken;

    /// <summary>Reserves the output and what the kernels need.</summary>
    internal Conv2dExecutor(Conv2dLayer layer, Activation activation, ExecutorOptions options)
        : base(layer, options.MaximumRows)
    {
        _layer = layer;
        _activation = activation;
        _options = options;
        _convolution = Create(layer, options);
    }

    /// <inheritdoc/>
    internal override Activation LastActivation => _activation;

    /// <summary>Whether the forward kernel knows a function.</summary>
    internal static bool CanApply(Activation activation) => activation is Activation.Relu or Activation.Tanh or Activation.Sigmoid;

    /// <inheritdoc/>
    internal override void LeaveActivationGradient() => _activationGradientIsTaken = true;

    /// <inheritdoc/>
    internal override void BindWeights(ReadOnlyMemory<float> parameters)
    {
        int weights = _layer.Shape.WeightLength;
        _convolution.BindWeights(parameters.Span[..weights], parameters.Span[weights..], _options.Team);
    }

    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, in Pass pass)
    {
        Span<float> output = Output.Span[..(rows * OutputLength)];
        switch (_activation)
        {
            case Activation.None: _convolution.Forward<IdentityActivation>(input, rows, output, _options.Team); break;
            case Activation.Relu: _convolution.Forward<ReluActivation>(input, rows, output, _options.Team); break;
            case Activation.Tanh: _convolution.Forward<TanhActivation>(input, rows, output, _options.Team); break;
            case Activation.Sigmoid: _convolution.Forward<SigmoidActivation>(input, rows, output, _options.Team); break;
            default: throw new InvalidOperationException($"{_activation} is not part of the kernel");
        }
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
        if (!_activationGradientIsTaken)
            ActivationFunctions.ApplyGradient(_activation, Output.Span[..(rows * OutputLength)], outputGradient, _options.Team);
        int weights = _layer.Shape.WeightLength;
        _convolution.ParameterGradient(input, outputGradient, rows, parameterGradient[..weights], parameterGradient[weights..], _options.Team);
        if (_options.NeedsInputGradient)
            _convolution.InputGradient(outputGradient, rows, inputGradient, _options.Team);
    }

    private static Convolution Create(Conv2dLayer layer, ExecutorOptions options)
    {
        try
        {
            return new Convolution(layer.Shape, options.MaximumRows, options.Microbatch, options.NeedsInputGradient);
        }
        catch (OverflowException failure)
        {
            throw new InputException($"{layer.Description}: what its kernels need does not fit in one array: use a smaller kernel or fewer channels", failure);
        }
    }
}
