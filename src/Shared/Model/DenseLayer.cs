using System.Globalization;

namespace Distributed.Model;

/// <summary>A dense layer, y = activation(x . W^T + b), with W in PyTorch's layout [out, in].</summary>
internal sealed class DenseLayer : Layer
{
    private readonly Activation _activation;

    /// <summary>Settles the sizes.</summary>
    /// <param name="input">Shape of one sample, taken as one vector.</param>
    /// <param name="units">Number of outputs.</param>
    /// <param name="activation">Applied to the output in the same pass as the bias.</param>
    internal DenseLayer(SampleShape input, int units, Activation activation)
        : base(input, new SampleShape(1, 1, units))
    {
        _activation = activation;
        var bound = WeightInitialization.Bound(activation, InputLength, units);
        Parameters = [new("weight", [units, InputLength], InitialValues.Uniform(bound)), new("bias", [units], InitialValues.Constant(0))];
    }

    /// <inheritdoc/>
    internal override IReadOnlyList<LayerParameter> Parameters { get; }

    /// <inheritdoc/>
    internal override ElementOrder Order => ElementOrder.Planar;

    /// <inheritdoc/>
    internal override Activation LastActivation => _activation;

    /// <inheritdoc/>
    internal override bool BackwardReadsOutput => _activation != Activation.None;

    /// <inheritdoc/>
    internal override string Description
    {
        get
        {
            var dense = string.Create(CultureInfo.InvariantCulture, $"dense {OutputLength}");
            return _activation == Activation.None ? dense : $"{dense}, {ActivationSpec.NameOf(_activation)}";
        }
    }

    /// <inheritdoc/>
    internal override Layer? WithActivation(Activation activation) =>
        _activation == Activation.None ? new DenseLayer(Input, OutputLength, activation) : null;

    /// <inheritdoc/>
    internal override bool Absorbs(Activation activation) => activation != Activation.None;

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new DenseExecutor(this, _activation, options);
}
