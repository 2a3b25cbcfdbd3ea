namespace Distributed.Model;

/// <summary>y = shortcut(x) + f(x), both in the same order of elements; without shortcut layers, x itself is added.</summary>
internal sealed class ResidualLayer : Layer
{
    private const int Gradients = 2; // the copy of the output's for the shortcut, and the shortcut's own

    /// <summary>Arranges both branches to take and leave one order of elements.</summary>
    /// <param name="input">Shape of one sample.</param>
    /// <param name="output">Shape of one sample after either branch.</param>
    /// <param name="layers">f; at least one.</param>
    /// <param name="shortcut">May be empty.</param>
    internal ResidualLayer(SampleShape input, SampleShape output, IReadOnlyList<Layer> layers, IReadOnlyList<Layer> shortcut)
        : base(input, output)
    {
        Order = LayerSequence.PreferredOrder(layers.Concat(shortcut));
        Layers = LayerSequence.Arrange(layers, Order, Order);
        Shortcut = shortcut.Count > 0 ? LayerSequence.Arrange(shortcut, Order, Order) : [];
        Parameters = [.. Leaves.SelectMany(layer => layer.Parameters)];
    }

    /// <summary>The layers of f.</summary>
    internal IReadOnlyList<Layer> Layers { get; }

    /// <summary>The layers of the shortcut.</summary>
    internal IReadOnlyList<Layer> Shortcut { get; }

    /// <inheritdoc/>
    internal override ElementOrder Order { get; }

    /// <inheritdoc/>
    internal override IReadOnlyList<LayerParameter> Parameters { get; }

    /// <inheritdoc/>
    internal override IEnumerable<Layer> Leaves => Layers.Concat(Shortcut).SelectMany(layer => layer.Leaves);

    /// <inheritdoc/>
    internal override int RandomStreams => Leaves.Sum(layer => layer.RandomStreams);

    /// <inheritdoc/>
    internal override long KeptLength =>
        SequencePlan.KeptLengthOf(Layers) + SequencePlan.KeptLengthOf(Shortcut) + (Gradients * (long)Math.Max(InputLength, OutputLength));

    /// <inheritdoc/>
    internal override string Description =>
        Shortcut.Count == 0
            ? $"residual({LayerSequence.Describe(Layers)})"
            : $"residual({LayerSequence.Describe(Layers)} | {LayerSequence.Describe(Shortcut)})";

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new ResidualExecutor(this, options);
}
