using Distributed.Kernels;
using Distributed.Kernels.Threads;

namespace Distributed.Model;

/// <summary>
/// What one replica needs to run one layer: whatever form of the weights its products want, and what its backward pass needs beside input
/// and output. Where a layer allows row blocks (<see cref="Layer.AllowsRowBlocks"/>), a call may cover a few rows of the pass.
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

    /// <summary>
    /// Takes the gradient of the loss from the layer's output to its parameters and its input. Not called for a layer that has no
    /// parameters, unless the input's gradient is wanted.
    /// </summary>
    /// <param name="backward">What it reads and writes.</param>
    internal abstract void Backward(in BackwardPass backward);

    /// <summary>
    /// Adds what the threads of a segment have summed of the parameters' gradient to the sums of the segments before it. In a segment of
    /// several threads, each calls <see cref="Backward"/> for its own rows, at the same time as the others, and that leaves the
    /// parameters' gradient as it is.
    /// </summary>
    /// <param name="segment">The segment, of two threads or more, all of which are done.</param>
    /// <param name="passRows">Samples of the pass.</param>
    /// <param name="parameterGradient">As in <see cref="BackwardPass"/>: overwritten after the last segment of the pass.</param>
    internal virtual void MergeThreadGradients(in PassSegment segment, int passRows, Span<float> parameterGradient) { }
}
