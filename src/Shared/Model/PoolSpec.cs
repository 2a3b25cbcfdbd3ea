using System.Text.Json;

namespace Distributed.Model;

/// <summary>A two-dimensional pooling, channel by channel, with PyTorch's meaning of kernel, stride and padding.</summary>
public sealed record PoolSpec : LayerSpec
{
    /// <summary>Creates a layer.</summary>
    /// <param name="kind">What is made of a window.</param>
    /// <param name="kernel">Rows and columns of a window, each 1 to <see cref="Conv2dSpec.MaximumExtent"/>.</param>
    /// <param name="stride">
    /// From a window to the next, each 1 to <see cref="Conv2dSpec.MaximumExtent"/>; null for the kernel: windows side by side.
    /// </param>
    /// <param name="padding">Rows and columns by which windows may reach out of the image, each 0 to below the kernel.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range, or there is no such kind.</exception>
    public PoolSpec(PoolKind kind, ConvExtent kernel, ConvExtent? stride = null, ConvExtent padding = default)
    {
        Type = NameOf(kind);
        (Kind, Kernel, Stride, Padding) = (kind, kernel, stride ?? kernel, padding);
        CheckRange(Kernel, 1, Conv2dSpec.MaximumExtent, nameof(kernel));
        CheckRange(Stride, 1, Conv2dSpec.MaximumExtent, nameof(stride));
        CheckRange(Padding, 0, Conv2dSpec.MaximumExtent, nameof(padding));
        if (!IsBelow(padding, kernel))
        {
            throw new ArgumentOutOfRangeException(
                nameof(padding),
                padding,
                $"a padding below the kernel of {kernel} leaves no window empty"
            );
        }
    }

    /// <summary>What is made of a window.</summary>
    public PoolKind Kind { get; }

    /// <summary>Rows and columns of a window.</summary>
    public ConvExtent Kernel { get; }

    /// <summary>Rows and columns from a window to the next.</summary>
    public ConvExtent Stride { get; }

    /// <summary>Rows and columns by which windows may reach out of the image.</summary>
    public ConvExtent Padding { get; }

    /// <inheritdoc/>
    public override string Type { get; }

    /// <summary>The name of a kind in model files.</summary>
    internal static string NameOf(PoolKind kind) =>
        kind switch
        {
            PoolKind.Max => "maxpool",
            PoolKind.Average => "avgpool",
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "not a kind of pooling"),
        };

    internal static PoolSpec Read(PoolKind kind, LayerFields fields)
    {
        var kernel = ConvExtents.Require(fields, "kernel", 1, Conv2dSpec.MaximumExtent);
        var stride = ConvExtents.Optional(fields, "stride", 1, Conv2dSpec.MaximumExtent, kernel);
        var padding = ConvExtents.Optional(fields, "padding", 0, Conv2dSpec.MaximumExtent, default);
        return IsBelow(padding, kernel)
            ? new PoolSpec(kind, kernel, stride, padding)
            : throw fields.Error($"'padding' is {padding}, but the kernel is {kernel}: use a padding below the kernel");
    }

    internal override void WriteProperties(Utf8JsonWriter writer)
    {
        ConvExtents.Write(writer, "kernel", Kernel);
        ConvExtents.Write(writer, "stride", Stride);
        ConvExtents.Write(writer, "padding", Padding);
    }

    internal override Layer Resolve(SampleShape input) => new PoolLayer(input, this);

    private static bool IsBelow(ConvExtent padding, ConvExtent kernel) => padding.Height < kernel.Height && padding.Width < kernel.Width;

    private static void CheckRange(ConvExtent extent, int minimum, int maximum, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Math.Min(extent.Height, extent.Width), minimum, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Math.Max(extent.Height, extent.Width), maximum, name);
    }
}
