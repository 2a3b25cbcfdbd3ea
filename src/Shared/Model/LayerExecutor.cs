using Distributed.Kernels;

namespace Distributed.Model;

/// <summary>What one replica needs to run one layer: its output, and whatever form of the weights its products want.</summary>
/// <param name="layer">The layer.</param>
/// <param name="maximumRows">The most samples in one call.</param>
internal abstract class LayerExecutor(Layer layer, int maximumRows)
{
    /// <summary>Number of values in one output sample.</summary>
    internal int OutputLength { get; } = layer.OutputLength;

    /// <summary>[maximum rows, <see cref="OutputLength"/>]: what the last <see cref="Forward"/> computed.</summary>
    internal AlignedBuffer Output { get; } = Reserve(maximumRows, layer.OutputLength);

    /// <summary>Reserves [rows, length].</summary>
    /// <exception cref="InputException">They do not fit in one array.</exception>
    internal static AlignedBuffer Reserve(int rows, int length) => (long)rows * length <= ParameterLayout.MaximumLength
        ? new AlignedBuffer(rows * length)
        : throw new InputException($"{rows} samples of {length} values do not fit in one array: use a smaller microbatch or layer");

    /// <summary>The function that <see cref="Output"/> ends in, whose gradient the layer after this one may take in its own pass.</summary>
    internal virtual Activation LastActivation => Activation.None;

    /// <summary>
    /// Asks for the input's gradient as it is before the function that the layer before this one ends in; false where the layer cannot.
    /// </summary>
    internal virtual bool AbsorbGradient(Activation activation) => false;

    /// <summary>Leaves the gradient of <see cref="LastActivation"/> to the layer after this one, whatever asks for the gradient next.</summary>
    internal virtual void LeaveActivationGradient()
    {
    }

    /// <summary>Takes new values of the layer's parameters, which stay as they are until the next call.</summary>
    /// <param name="parameters">All parameters of the layer, in the order of the flat vector.</param>
    internal virtual void BindWeights(ReadOnlyMemory<float> parameters)
    {
    }

    /// <summary>Overwrites the first rows of <see cref="Output"/>.</summary>
    /// <param name="input">[rows, input length].</param>
    /// <param name="rows">Number of samples.</param>
    /// <param name="pass">What the pass is for.</param>
    internal abstract void Forward(ReadOnlySpan<float> input, int rows, in Pass pass);

    /// <summary>Takes the gradient of the loss from the layer's output to its parameters and its input.</summary>
    /// <param name="input">[rows, input length], as it was in <see cref="Forward"/>.</param>
    /// <param name="rows">Number of samples.</param>
    /// <param name="outputGradient">[rows, output length]; used as scratch.</param>
    /// <param name="inputGradient">[rows, input length]; overwritten. Empty where no layer before this one has parameters.</param>
    /// <param name="parameterGradient">
    /// All parameters of the layer, summed over the samples along the tree; overwritten. In the places of running statistics: the
    /// sums over the samples of what was observed (see <see cref="Parameter.RunningMomentum"/>).
    /// </param>
    /// <param name="pass">The pass of <see cref="Forward"/>.</param>
    /// <param name="progress">May be told of parameters, counted from the layer's first, whose gradient is complete while the rest goes on; null for nobody.</param>
    internal abstract void Backward(
        ReadOnlySpan<float> input,
        int rows,
        Span<float> outputGradient,
        Span<float> inputGradient,
        Span<float> parameterGradient,
        in Pass pass,
        IBackwardProgress? progress);
}
