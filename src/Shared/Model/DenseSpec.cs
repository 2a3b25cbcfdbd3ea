using System.Text.Json;

namespace Distributed.Model;

/// <summary>A dense (fully connected) layer with a bias; an input of any shape is taken as one vector.</summary>
public sealed record DenseSpec : LayerSpec
{
    /// <summary>The most units a layer can have.</summary>
    public const int MaximumUnits = 1 << 20;

    internal const string TypeName = "dense";

    /// <summary>Creates a layer of the given width.</summary>
    /// <param name="units">Number of outputs, 1 to <see cref="MaximumUnits"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is out of range.</exception>
    public DenseSpec(int units)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(units, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(units, MaximumUnits);
        Units = units;
    }

    /// <summary>Number of outputs.</summary>
    public int Units { get; }

    /// <inheritdoc/>
    public override string Type => TypeName;

    internal static DenseSpec Read(LayerFields fields) => new(fields.RequireInteger("units", 1, MaximumUnits));

    internal override void WriteProperties(Utf8JsonWriter writer) => writer.WriteNumber("units", Units);

    internal override Layer Resolve(SampleShape input) => new DenseLayer(input, Units, Activation.None);
}
