namespace Distributed.Kernels.Convolutions;

/// <summary>
/// The sizes of a two-dimensional convolution. For one image: the input is [height, width, channels], the output
/// [<see cref="OutputHeight"/>, <see cref="OutputWidth"/>, filters], the weights are [filters, channels, kernel height, kernel width].
/// Output (oy, ox) meets input (oy * stride + kh - padding, ox * stride + kw - padding) by way of tap (kh, kw).
/// </summary>
/// <param name="Height">Rows of the input.</param>
/// <param name="Width">Columns of the input.</param>
/// <param name="Channels">Channels of the input.</param>
/// <param name="Filters">Channels of the output.</param>
/// <param name="KernelHeight">Rows of the kernel.</param>
/// <param name="KernelWidth">Columns of the kernel.</param>
/// <param name="Stride">Input pixels from an output pixel to the next, in both directions.</param>
/// <param name="PaddingHeight">Rows that the input is thought to have above and below. They contribute no term to any sum.</param>
/// <param name="PaddingWidth">Columns that the input is thought to have left and right.</param>
internal readonly record struct ConvolutionShape(
    int Height,
    int Width,
    int Channels,
    int Filters,
    int KernelHeight,
    int KernelWidth,
    int Stride,
    int PaddingHeight,
    int PaddingWidth
)
{
    /// <summary>Rows of the output.</summary>
    public int OutputHeight => OutputSize(Height, KernelHeight, PaddingHeight, Stride);

    /// <summary>Columns of the output.</summary>
    public int OutputWidth => OutputSize(Width, KernelWidth, PaddingWidth, Stride);

    /// <summary>Floats of one input image.</summary>
    public int InputLength => checked(Height * Width * Channels);

    /// <summary>Floats of one output image.</summary>
    public int OutputLength => checked(OutputPixels * Filters);

    /// <summary>Pixels of one output image.</summary>
    public int OutputPixels => checked(OutputHeight * OutputWidth);

    /// <summary>Positions of the kernel.</summary>
    public int Taps => checked(KernelHeight * KernelWidth);

    /// <summary>Weights of one filter: the longest chain of an output element.</summary>
    public int FilterLength => checked(Taps * Channels);

    /// <summary>All weights, without the biases.</summary>
    public int WeightLength => checked(FilterLength * Filters);

    /// <summary>The number of places that a kernel takes along one side; below one where it does not fit.</summary>
    public static int OutputSize(int input, int kernel, int padding, int stride)
    {
        var room = input + (2L * padding) - kernel;
        return room < 0 ? 0 : (int)(room / stride) + 1;
    }

    /// <summary>Refuses sizes that no convolution has.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is below one, the padding is negative, or the kernel does not fit.</exception>
    internal void Check()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Channels, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Filters, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(KernelHeight, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(KernelWidth, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Stride, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(PaddingHeight);
        ArgumentOutOfRangeException.ThrowIfNegative(PaddingWidth);
        ArgumentOutOfRangeException.ThrowIfLessThan(OutputHeight, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(OutputWidth, 1);
    }
}
