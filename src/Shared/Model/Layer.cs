namespace Distributed.Model;

/// <summary>A layer whose sizes are settled; immutable. What a running replica needs beside it is a <see cref="LayerExecutor"/>.</summary>
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
    /// Whether the samples of a pass may come a few at a time, in any number of calls: the backward pass of the first rows, too, begins
    /// after the forward pass of the last. Calls for the rows of different lanes come at the same time, from several threads; what they
    /// have summed of the parameters' gradient is then added up by <see cref="LayerExecutor.JoinLanes"/>.
    /// </summary>
    internal virtual bool TakesParts => false;

    /// <summary>Whether the backward pass reads the input's values.</summary>
    internal virtual bool BackwardReadsInput => true;

    /// <summary>
    /// Whether the backward pass reads the output's values, be it for the gradient of <see cref="LastActivation"/> or for anything else.
    /// </summary>
    internal virtual bool BackwardReadsOutput => false;

    /// <summary>The function that the output ends in, whose gradient the layer after this one may take in its own pass.</summary>
    internal virtual Activation LastActivation => Activation.None;

    /// <summary>The layer as a summary of the model shows it, such as <c>dense 512, relu</c>.</summary>
    internal abstract string Description { get; }

    /// <summary>The same layer with an activation function applied to its output in the same pass, or null where it cannot.</summary>
    internal virtual Layer? WithActivation(Activation activation) => null;

    /// <summary>
    /// Whether the layer can give the input's gradient as it is before the function that the layer before this one ends in.
    /// </summary>
    internal virtual bool Absorbs(Activation activation) => false;

    /// <summary>Creates what one replica needs to run the layer.</summary>
    internal abstract LayerExecutor CreateExecutor(ExecutorOptions options);
}
