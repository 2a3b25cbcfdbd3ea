using System.Text.Json;

namespace Distributed.Model;

/// <summary>A two-dimensional convolution with PyTorch's meaning of kernel, stride and zero padding.</summary>
public sealed record Conv2dSpec : LayerSpec
{
    /// <summary>The most filters a layer can have.</summary>
    public const int MaximumFilters = 1 << 16;

    /// <summary>The largest kernel, stride and padding, in pixels.</summary>
    public const int MaximumExtent = 1 << 10;

    internal const string TypeName = "conv2d";

    /// <summary>Creates a layer.</summary>
    /// <param name="filters">Channels of the output, 1 to <see cref="MaximumFilters"/>.</param>
    /// <param name="kernel">Rows and columns of the kernel, each 1 to <see cref="MaximumExtent"/>.</param>
    /// <param name="stride">Input pixels from an output pixel to the next, 1 to <see cref="MaximumExtent"/>.</param>
    /// <param name="padding">
    /// Rows above and below, and columns left and right, that are taken as zero, each 0 to <see cref="MaximumExtent"/>.
    /// </param>
    /// <param name="bias">Whether a number per filter is added.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public Conv2dSpec(int filters, ConvExtent kernel, int stride = 1, ConvExtent padding = default, bool bias = true)
    {
        CheckRange(filters, 1, MaximumFilters, nameof(filters));
        CheckRange(kernel.Height, 1, MaximumExtent, nameof(kernel));
        CheckRange(kernel.Width, 1, MaximumExtent, nameof(kernel));
        CheckRange(stride, 1, MaximumExtent, nameof(stride));
        CheckRange(padding.Height, 0, MaximumExtent, nameof(padding));
        CheckRange(padding.Width, 0, MaximumExtent, nameof(padding));
        (Filters, Kernel, Stride, Padding, Bias) = (filters, kernel, stride, padding, bias);
    }

    /// <summary>Channels of the output.</summary>
    public int Filters { get; }

    /// <summary>Rows and columns of the kernel.</summary>
    public ConvExtent Kernel { get; }

    /// <summary>Input pixels from an output pixel to the next, in both directions.</summary>
    public int Stride { get; }

    /// <summary>Rows above and below, and columns left and right, that are taken as zero.</summary>
    public ConvExtent Padding { get; }

    /// <summary>Whether a number per filter is added.</summary>
    public bool Bias { get; }

    /// <inheritdoc/>
    public override string Type => TypeName;

    internal static Conv2dSpec Read(LayerFields fields)
    {
        var filters = fields.RequireInteger("filters", 1, MaximumFilters);
        var kernel = ConvExtents.Require(fields, "kernel", 1, MaximumExtent);
        var stride = fields.OptionalInteger("stride", 1, MaximumExtent, defaultValue: 1);
        var padding = ConvExtents.ReadPadding(fields, kernel, stride);
        return new Conv2dSpec(filters, kernel, stride, padding, fields.OptionalBoolean("bias", defaultValue: true));
    }

    internal override void WriteProperties(Utf8JsonWriter writer)
    {
        writer.WriteNumber("filters", Filters);
        ConvExtents.Write(writer, "kernel", Kernel);
        writer.WriteNumber("stride", Stride);
        ConvExtents.Write(writer, "padding", Padding);
        writer.WriteBoolean("bias", Bias);
    }

    internal override Layer Resolve(SampleShape input) => new Conv2dLayer(input, this, Activation.None);

    private static void CheckRange(int value, int minimum, int maximum, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, minimum, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, maximum, name);
    }
}
