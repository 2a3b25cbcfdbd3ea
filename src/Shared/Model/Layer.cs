using Distributed.Graphs;

namespace Distributed.Model;

/// <summary>
/// A layer whose sizes are resolved; immutable. A <see cref="LayerExecutor"/> has what a running replica needs beside it.
/// </summary>
/// <param name="input">Shape of one sample on the way in.</param>
/// <param name="output">Shape of one sample on the way out.</param>
internal abstract class Layer(SampleShape input, SampleShape output)
{
    /// <summary>Shape of one sample on the way in.</summary>
    internal SampleShape Input { get; } = input;

    /// <summary>Shape of one sample on the way out.</summary>
    internal SampleShape Output { get; } = output;

    /// <summary>Number of values in one input sample.</summary>
    internal int InputLength { get; } = input.Length;

    /// <summary>Number of values in one output sample.</summary>
    internal int OutputLength { get; } = output.Length;

    /// <summary>The order in which the layer takes its input's elements and leaves those of its output.</summary>
    internal virtual ElementOrder Order => ElementOrder.Any;

    /// <summary>The parameters in the order of the flat vector; empty where the layer has none.</summary>
    internal virtual IReadOnlyList<LayerParameter> Parameters => [];

    /// <summary>Number of values in all parameters.</summary>
    internal int ParameterLength => Parameters.Sum(parameter => parameter.Shape.Aggregate(1, (product, size) => product * size));

    /// <summary>
    /// The layers that this one is made of, depth first, in the order of their parameters: itself, unless it has layers inside.
    /// </summary>
    internal virtual IEnumerable<Layer> Leaves => [this];

    /// <summary>How many sequences of random draws a training step of the layer needs.</summary>
    internal virtual int RandomStreams => 0;

    /// <summary>Values per sample that its executor keeps for the backward pass, apart from input and output.</summary>
    internal virtual long KeptLength => 0;

    /// <summary>
    /// Whether the samples of a pass may come in row blocks, in any number of calls: first all forward calls, then all backward calls.
    /// Calls for the rows of different threads come at the same time; <see cref="LayerExecutor.MergeThreadGradients"/> then adds up what
    /// they have summed of the parameters' gradient.
    /// </summary>
    internal virtual bool AllowsRowBlocks => false;

    /// <summary>Whether the backward pass reads the input's values.</summary>
    internal virtual bool BackwardReadsInput => true;

    /// <summary>
    /// Whether the backward pass reads the output's values, for the gradient of <see cref="LastActivation"/> or for anything else.
    /// </summary>
    internal virtual bool BackwardReadsOutput => false;

    /// <summary>The activation that the layer ends in, whose gradient the next layer may take in its own backward pass.</summary>
    internal virtual Activation LastActivation => Activation.None;

    /// <summary>The layer as a summary of the model shows it, such as <c>dense 512, relu</c>.</summary>
    internal abstract string Description { get; }

    /// <summary>The same layer with an activation function applied to its output in the same pass, or null where it cannot.</summary>
    internal virtual Layer? WithActivation(Activation activation) => null;

    /// <summary>
    /// Whether the layer's backward pass can take the gradient of the activation that the layer before it ends in along with its own.
    /// </summary>
    internal virtual bool FusesGradientOf(Activation activation) => false;

    /// <summary>Creates what one replica needs to run the layer.</summary>
    internal abstract LayerExecutor CreateExecutor(ExecutorOptions options);

    /// <summary>Adds what the layer does in evaluation to a graph of operators.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="input">
    /// What it takes: vectors, or images channel by channel, whatever <see cref="Order"/> says. <see cref="OperatorGraphExtensions"/> make one
    /// of the other.
    /// </param>
    /// <param name="parameters">Its parameters, in the order of <see cref="Parameters"/>.</param>
    /// <returns>What it puts out.</returns>
    internal abstract GraphValue AddTo(IOperatorGraph graph, GraphValue input, ReadOnlySpan<GraphValue> parameters);
}

/// <summary>The order in which the elements of one sample of C x H x W lie. Where C or H x W is 1, all orders are the same bytes.</summary>
internal enum ElementOrder
{
    /// <summary>Either: the layer does the same to each element, and leaves the order as it is.</summary>
    Any = 0,

    /// <summary>Channel by channel (C, H, W), as samples are stored and as PyTorch flattens them.</summary>
    Planar,

    /// <summary>Pixel by pixel (H, W, C): a convolution reads all channels of a pixel at once.</summary>
    ChannelsLast,
}
