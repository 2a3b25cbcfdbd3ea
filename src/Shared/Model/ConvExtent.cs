namespace Distributed.Model;

/// <summary>A number of rows and a number of columns.</summary>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
public readonly record struct ConvExtent(int Height, int Width)
{
    /// <summary>The same number of rows and columns.</summary>
    /// <param name="size">Rows, and columns.</param>
    public static ConvExtent Square(int size) => new(size, size);

    /// <summary>The extent as people write it, such as <c>3x3</c>.</summary>
    public override string ToString() => $"{Height}x{Width}";
}
