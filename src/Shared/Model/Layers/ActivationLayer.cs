using Distributed.Kernels;

namespace Distributed.Model.Layers;

/// <summary>An activation function, applied to each element of the output of the layer before it.</summary>
public sealed record ActivationSpec : LayerSpec
{
    /// <summary>Creates a layer that applies a function.</summary>
    /// <param name="function">Any but <see cref="Activation.None"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such function.</exception>
    public ActivationSpec(Activation function)
    {
        Type = NameOf(function);
        Function = function;
    }

    /// <summary>The function.</summary>
    public Activation Function { get; }

    /// <inheritdoc/>
    public override string Type { get; }

    /// <summary>The name of a function in model files.</summary>
    internal static string NameOf(Activation function) =>
        function switch
        {
            Activation.Relu => "relu",
            Activation.Tanh => "tanh",
            Activation.Sigmoid => "sigmoid",
            _ => throw new ArgumentOutOfRangeException(nameof(function), function, "not an activation function"),
        };

    internal override Layer Resolve(SampleShape input) => new ActivationLayer(input, Function);
}

/// <summary>An activation function where the layer before it cannot apply it in its own pass.</summary>
/// <param name="input">Shape of one sample.</param>
/// <param name="activation">The function.</param>
internal sealed class ActivationLayer(SampleShape input, Activation activation) : Layer(input, input)
{
    /// <inheritdoc/>
    internal override bool AllowsRowBlocks => true;

    /// <inheritdoc/>
    internal override bool BackwardReadsInput => false;

    /// <inheritdoc/>
    internal override bool BackwardReadsOutput => true;

    /// <inheritdoc/>
    internal override string Description => ActivationSpec.NameOf(activation);

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new ActivationExecutor(this, activation, options);
}

/// <summary>
/// Runs an <see cref="ActivationLayer"/> on a copy of its input, which the layer before still needs for its own gradient.
/// </summary>
internal sealed class ActivationExecutor(ActivationLayer layer, Activation activation, ExecutorOptions options) : LayerExecutor(layer)
{
    private readonly AlignedBuffer _noBias = new(layer.OutputLength);

    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass)
    {
        input.CopyTo(output);
        ActivationFunctions.ApplyWithBias(activation, output, _noBias.Span, options.Team);
    }

    /// <inheritdoc/>
    internal override void Backward(in BackwardPass backward)
    {
        ActivationFunctions.ApplyGradient(activation, backward.Output, backward.OutputGradient, options.Team);
        backward.OutputGradient.CopyTo(backward.InputGradient);
    }
}
