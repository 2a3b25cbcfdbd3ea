using Distributed.Graphs;

namespace Distributed.Model.Layers;

/// <summary>Takes each sample as one vector, channel by channel, as <c>torch.nn.Flatten</c> does.</summary>
internal sealed record FlattenSpec : LayerSpec
{
    internal const string TypeName = "flatten";

    /// <inheritdoc/>
    public override string Type => TypeName;

    internal override Layer Resolve(SampleShape input) => new FlattenLayer(input);
}

/// <summary>C x H x W becomes 1 x 1 x CHW; the values and their planar order stay.</summary>
/// <param name="input">Shape of one sample.</param>
internal sealed class FlattenLayer(SampleShape input) : Layer(input, new SampleShape(1, 1, input.Length))
{
    /// <inheritdoc/>
    internal override ElementOrder Order => ElementOrder.Planar;

    /// <inheritdoc/>
    internal override bool AllowsRowBlocks => true;

    /// <inheritdoc/>
    internal override bool BackwardReadsInput => false;

    /// <inheritdoc/>
    internal override string Description => FlattenSpec.TypeName;

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new FlattenExecutor(this);

    /// <inheritdoc/>
    internal override GraphValue AddTo(IOperatorGraph graph, GraphValue input, ReadOnlySpan<GraphValue> parameters) =>
        graph.AsVector(input);
}

/// <summary>Runs a <see cref="FlattenLayer"/>: a copy, since each layer owns its output.</summary>
internal sealed class FlattenExecutor(FlattenLayer layer) : LayerExecutor(layer)
{
    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass) => input.CopyTo(output);

    /// <inheritdoc/>
    internal override void Backward(in BackwardPass backward) => backward.OutputGradient.CopyTo(backward.InputGradient);
}
