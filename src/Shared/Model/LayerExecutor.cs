using Distributed.Kernels;
using Distributed.Kernels.Threads;

namespace Distributed.Model;

/// <summary>
/// What one replica needs to run one layer: whatever form of the weights its products want, and what its backward pass needs beside input
/// and output. Of layers that take a pass in parts (<see cref="Layer.TakesParts"/>), a call may cover a few rows of the pass.
/// </summary>
/// <param name="layer">The layer.</param>
internal abstract class LayerExecutor(Layer layer)
{
    /// <summary>Number of values in one output sample.</summary>
    internal int OutputLength { get; } = layer.OutputLength;

    /// <summary>Reserves [rows, length].</summary>
    /// <exception cref="InputException">They do not fit in one array.</exception>
    internal static AlignedBuffer Reserve(int rows, int length) =>
        (long)rows * length <= ParameterLayout.MaximumLength
            ? new AlignedBuffer(rows * length)
            : throw new InputException($"{rows} samples of {length} values do not fit in one array: use a smaller microbatch or layer");

    /// <summary>Takes new values of the layer's parameters, which stay as they are until the next call.</summary>
    /// <param name="parameters">All parameters of the layer, in the order of the flat vector.</param>
    internal virtual void BindWeights(ReadOnlyMemory<float> parameters) { }

    /// <summary>Computes the output.</summary>
    /// <param name="input">[rows, input length].</param>
    /// <param name="rows">Number of samples.</param>
    /// <param name="output">[rows, output length]; overwritten.</param>
    /// <param name="pass">What the pass is for.</param>
    internal abstract void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass);

    /// <summary>Takes the gradient of the loss from the layer's output to its parameters and its input.</summary>
    /// <param name="input">
    /// [rows, input length], as it was in <see cref="Forward"/>, unless <see cref="Layer.BackwardReadsInput"/> is false.
    /// </param>
    /// <param name="output">
    /// [rows, output length], likewise, unless <see cref="Layer.BackwardReadsOutput"/> is false or the gradient of its last activation is
    /// taken elsewhere.
    /// </param>
    /// <param name="rows">Number of samples.</param>
    /// <param name="outputGradient">[rows, output length]; used as scratch.</param>
    /// <param name="inputGradient">[rows, input length]; overwritten. Empty where no layer before this one has parameters.</param>
    /// <param name="parameterGradient">
    /// All parameters of the layer, summed over the samples along the tree; overwritten, in a pass of several calls by the last. In the
    /// places of running statistics: the sums over the samples of what was observed (see <see cref="Parameter.RunningMomentum"/>).
    /// </param>
    /// <param name="pass">The pass of <see cref="Forward"/>.</param>
    /// <param name="progress">
    /// May be told of parameters, counted from the layer's first, whose gradient is complete while the rest goes on; null for nobody.
    /// </param>
    internal abstract void Backward(
        ReadOnlySpan<float> input,
        ReadOnlySpan<float> output,
        int rows,
        Span<float> outputGradient,
        Span<float> inputGradient,
        Span<float> parameterGradient,
        in Pass pass,
        IBackwardProgress? progress
    );

    /// <summary>
    /// Adds what the lanes of a stretch have summed of the parameters' gradient to what the pass has summed before. In lanes,
    /// <see cref="Backward"/> comes for the rows of several lanes at the same time, and leaves the parameters' gradient as it is.
    /// </summary>
    /// <param name="stretch">The stretch, of two lanes or more, all of which are done.</param>
    /// <param name="passRows">Samples of the pass.</param>
    /// <param name="parameterGradient">As in <see cref="Backward"/>: overwritten after the last stretch of the pass.</param>
    internal virtual void JoinLanes(in PassSegment stretch, int passRows, Span<float> parameterGradient) { }
}
