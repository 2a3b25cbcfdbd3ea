using System.Text.Json;
using Distributed.Graphs;

namespace Distributed.Model.Layers;

/// <summary>A number of rows and a number of columns.</summary>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
internal readonly record struct ConvExtent(int Height, int Width)
{
    /// <summary>The same number of rows and columns.</summary>
    /// <param name="size">Rows, and columns.</param>
    public static ConvExtent Square(int size) => new(size, size);

    /// <summary>The extent as people write it, such as <c>3x3</c>.</summary>
    public override string ToString() => $"{Height}x{Width}";
}

/// <summary>
/// Reads and writes properties of model files that are a whole number, for both sides, or a list of two: rows and columns.
/// </summary>
internal static class ConvExtents
{
    private const string PaddingName = "padding";
    private const string Same = "same";

    /// <summary>The value of a property that must be there.</summary>
    internal static ConvExtent Require(LayerFields fields, string name, int minimum, int maximum)
    {
        if (fields.Find(name) is not JsonElement { ValueKind: JsonValueKind.Array } pair)
            return ConvExtent.Square(fields.RequireInteger(name, minimum, maximum));
        return pair.GetArrayLength() == 2 && Number(pair[0]) is int height && Number(pair[1]) is int width
            ? new ConvExtent(height, width)
            : throw fields.WrongValue(name, pair, $"a whole number from {minimum} to {maximum}, or [rows, columns]");

        int? Number(JsonElement value) =>
            value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= minimum && number <= maximum
                ? number
                : null;
    }

    /// <summary>The value of a property, or the default where it is not there.</summary>
    internal static ConvExtent Optional(LayerFields fields, string name, int minimum, int maximum, ConvExtent defaultValue) =>
        fields.Find(name) is null ? defaultValue : Require(fields, name, minimum, maximum);

    /// <summary>The property <c>padding</c>: none where it is not there; <c>"same"</c> is what keeps the size of the image.</summary>
    internal static ConvExtent ReadPadding(LayerFields fields, ConvExtent kernel, int stride)
    {
        if (fields.Find(PaddingName) is not JsonElement value)
            return default;
        if (value.ValueKind != JsonValueKind.String)
            return Require(fields, PaddingName, 0, Conv2dSpec.MaximumExtent);
        if (value.GetString() != Same)
        {
            throw fields.WrongValue(
                PaddingName,
                value,
                $"\"{Same}\", a whole number from 0 to {Conv2dSpec.MaximumExtent}, or [rows, columns]"
            );
        }

        if (stride != 1 || kernel.Height % 2 == 0 || kernel.Width % 2 == 0)
        {
            throw fields.Error(
                $"'{PaddingName}' is \"{Same}\", but the kernel is {kernel} and the stride {stride}: "
                    + "use an odd kernel and a stride of 1, or numbers"
            );
        }

        return new ConvExtent(kernel.Height / 2, kernel.Width / 2);
    }

    /// <summary>The attributes of ONNX operators that go over an image window by window.</summary>
    internal static GraphAttribute[] WindowAttributes(ConvExtent kernel, ConvExtent stride, ConvExtent padding) =>
        [
            GraphAttribute.Of("kernel_shape", [kernel.Height, kernel.Width]),
            GraphAttribute.Of("strides", [stride.Height, stride.Width]),
            GraphAttribute.Of("pads", [padding.Height, padding.Width, padding.Height, padding.Width]),
        ];

    /// <summary>Writes one number where both are the same.</summary>
    internal static void Write(Utf8JsonWriter writer, string name, ConvExtent extent)
    {
        if (extent.Height == extent.Width)
        {
            writer.WriteNumber(name, extent.Height);
            return;
        }

        writer.WriteStartArray(name);
        writer.WriteNumberValue(extent.Height);
        writer.WriteNumberValue(extent.Width);
        writer.WriteEndArray();
    }
}
