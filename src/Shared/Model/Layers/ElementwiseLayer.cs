using Distributed.Graphs;
using Distributed.Kernels;

namespace Distributed.Model.Layers;

/// <summary>
/// A function of each element in a pass of its own. A layer of this kind needs no more than a spec and a function: see
/// <see cref="LeakyReluSpec"/>.
/// </summary>
/// <param name="input">Shape of one sample.</param>
/// <param name="function">The function.</param>
/// <param name="description">The layer as a summary of the model shows it.</param>
/// <param name="operators">The function in ONNX operators.</param>
internal sealed class ElementwiseLayer<TFunction>(
    SampleShape input,
    TFunction function,
    string description,
    Func<IOperatorGraph, GraphValue, GraphValue> operators
) : Layer(input, input)
    where TFunction : unmanaged, IElementFunction
{
    /// <inheritdoc/>
    internal override bool AllowsRowBlocks => true;

    /// <inheritdoc/>
    internal override bool BackwardReadsInput => TFunction.GradientReadsInput;

    /// <inheritdoc/>
    internal override bool BackwardReadsOutput => !TFunction.GradientReadsInput;

    /// <inheritdoc/>
    internal override string Description => description;

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new ElementwiseExecutor<TFunction>(this, function, options);

    /// <inheritdoc/>
    internal override GraphValue AddTo(IOperatorGraph graph, GraphValue input, ReadOnlySpan<GraphValue> parameters) =>
        operators(graph, input);
}

/// <summary>Runs an <see cref="ElementwiseLayer{TFunction}"/>.</summary>
internal sealed class ElementwiseExecutor<TFunction>(Layer layer, TFunction function, ExecutorOptions options) : LayerExecutor(layer)
    where TFunction : unmanaged, IElementFunction
{
    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass) =>
        ElementFunctions.Forward(function, input, output, options.Team);

    /// <inheritdoc/>
    internal override void Backward(in BackwardPass backward)
    {
        var value = TFunction.GradientReadsInput ? backward.Input : backward.Output;
        ElementFunctions.Backward(function, value, backward.OutputGradient, backward.InputGradient, options.Team);
    }
}
