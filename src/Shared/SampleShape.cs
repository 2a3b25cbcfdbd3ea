namespace Distributed;

/// <summary>The shape of one sample, stored channel by channel and row by row. A plain feature vector is 1 x 1 x width.</summary>
/// <param name="Channels">Number of channels, at least 1.</param>
/// <param name="Height">Rows of a channel, at least 1.</param>
/// <param name="Width">Columns of a channel, at least 1.</param>
public readonly record struct SampleShape(int Channels, int Height, int Width)
{
    /// <summary>Number of values in one sample.</summary>
    /// <exception cref="OverflowException">The product does not fit in an <see cref="int"/>.</exception>
    public int Length => checked(Channels * Height * Width);

    /// <summary>The shape as people write it, such as <c>3x32x32</c>.</summary>
    public override string ToString() => $"{Channels}x{Height}x{Width}";
}
