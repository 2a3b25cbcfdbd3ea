using System.Text.Json;

namespace Distributed.Model;

/// <summary>
/// A residual block: y = x + f(x), or shortcut(x) + f(x) where the shape changes on the way (K. He et al., "Deep residual learning for
/// image recognition", 2015).
/// </summary>
public sealed record ResidualSpec : LayerSpec
{
    internal const string TypeName = "residual";
    private const string LayersName = "layers";
    private const string ShortcutName = "shortcut";

    /// <summary>Creates a block.</summary>
    /// <param name="layers">f, at least one layer.</param>
    /// <param name="shortcut">The layers beside it; none for the input itself.</param>
    /// <exception cref="ArgumentException">There are no layers.</exception>
    public ResidualSpec(IEnumerable<LayerSpec> layers, IEnumerable<LayerSpec>? shortcut = null)
    {
        Layers = [.. layers];
        Shortcut = [.. shortcut ?? []];
        if (Layers.Count == 0)
            throw new ArgumentException("a residual block needs layers", nameof(layers));
    }

    /// <summary>The layers of f.</summary>
    public IReadOnlyList<LayerSpec> Layers { get; }

    /// <summary>The layers of the shortcut; empty where the input itself is added.</summary>
    public IReadOnlyList<LayerSpec> Shortcut { get; }

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <inheritdoc/>
    internal override int LayerCount => 1 + Layers.Concat(Shortcut).Sum(layer => layer.LayerCount);

    /// <inheritdoc/>
    public bool Equals(ResidualSpec? other) =>
        other is not null && Layers.SequenceEqual(other.Layers) && Shortcut.SequenceEqual(other.Shortcut);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Layers.Count, Shortcut.Count, Layers[0]);

    internal static ResidualSpec Read(LayerFields fields) => new(fields.RequireLayers(LayersName), fields.OptionalLayers(ShortcutName));

    internal override void WriteProperties(Utf8JsonWriter writer)
    {
        WriteList(writer, LayersName, Layers);
        if (Shortcut.Count > 0)
            WriteList(writer, ShortcutName, Shortcut);
    }

    internal override Layer Resolve(SampleShape input)
    {
        var layers = LayerSequence.Resolve(Layers, input, LayersName);
        var shortcut = LayerSequence.Resolve(Shortcut, input, ShortcutName);
        var (output, beside) = (layers[^1].Output, shortcut.Count > 0 ? shortcut[^1].Output : input);
        if (output != beside)
        {
            throw new InputException(
                $"its layers turn {input} into {output}, {Beside(beside)}: the two shapes must be the same to be added"
            );
        }

        return new ResidualLayer(input, output, layers, shortcut);
    }

    private string Beside(SampleShape shape) =>
        Shortcut.Count > 0 ? $"its shortcut into {shape}" : $"but there is no '{ShortcutName}' that turns {shape} into the same";
}
