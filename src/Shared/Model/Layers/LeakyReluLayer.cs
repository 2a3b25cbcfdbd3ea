using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Distributed.Graphs;
using Distributed.Kernels;
using Distributed.Kernels.Vectors;

namespace Distributed.Model.Layers;

/// <summary>
/// x where it is positive, else slope * x (A. Maas et al., "Rectifier nonlinearities improve neural network acoustic models", 2013).
/// </summary>
internal sealed record LeakyReluSpec : LayerSpec
{
    /// <summary>The slope where a model file says nothing, as in PyTorch.</summary>
    public const float DefaultSlope = 0.01f;

    /// <summary>The smallest slope: it must be above 0, so that the output tells on which side the input was.</summary>
    public const float MinimumSlope = 0.0001f;

    internal const string TypeName = "leakyrelu";

    /// <summary>Creates a layer of the given slope.</summary>
    /// <param name="slope">Slope on the left, <see cref="MinimumSlope"/> to 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The slope is out of range.</exception>
    public LeakyReluSpec(float slope)
    {
        if (!(slope >= MinimumSlope && slope <= 1))
            throw new ArgumentOutOfRangeException(nameof(slope), slope, $"a slope is from {MinimumSlope} to 1");
        Slope = slope;
    }

    /// <summary>Slope on the left.</summary>
    public float Slope { get; }

    /// <inheritdoc/>
    public override string Type => TypeName;

    internal static LeakyReluSpec Read(LayerFields fields) => new(fields.OptionalNumber("slope", MinimumSlope, 1, DefaultSlope));

    internal override void WriteProperties(Utf8JsonWriter writer) => writer.WriteNumber("slope", Slope);

    internal override Layer Resolve(SampleShape input) =>
        new ElementwiseLayer<LeakyReluFunction>(
            input,
            new LeakyReluFunction(Slope),
            string.Create(CultureInfo.InvariantCulture, $"{TypeName} {Slope}"),
            (graph, value) => graph.Add("LeakyRelu", [value], GraphAttribute.Of("alpha", Slope))
        );
}

/// <summary>x where it is positive, else slope * x; the slope is that of the left at 0, as in PyTorch.</summary>
/// <param name="slope">Slope on the left, above 0: only then does the output's sign tell that of the input.</param>
/// <exception cref="ArgumentOutOfRangeException">The slope is not above 0.</exception>
internal readonly struct LeakyReluFunction(float slope) : IElementFunction
{
    private readonly float _slope =
        slope > 0 ? slope : throw new ArgumentOutOfRangeException(nameof(slope), slope, "a leaky rectifier needs a slope above 0");

    public static bool GradientReadsInput => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Forward<TLanes, TVector>(TVector input)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged => TLanes.SelectGreater(input, default, input, TLanes.Multiply(input, TLanes.Broadcast(_slope)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Backward<TLanes, TVector>(TVector gradient, TVector value)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged => TLanes.SelectGreater(value, default, gradient, TLanes.Multiply(gradient, TLanes.Broadcast(_slope)));
}
