namespace Distributed.Kernels.Pooling;

/// <summary>
/// The sizes of a two-dimensional pooling. For one image, the input is [height, width, channels], the output
/// [<see cref="OutputHeight"/>, <see cref="OutputWidth"/>, channels]. The window of output (oy, ox) starts at input (oy * stride - padding,
/// ox * stride - padding); what of it lies outside of the input is not there.
/// </summary>
/// <param name="Height">Rows of the input.</param>
/// <param name="Width">Columns of the input.</param>
/// <param name="Channels">Channels of input and output.</param>
/// <param name="KernelHeight">Rows of a window.</param>
/// <param name="KernelWidth">Columns of a window.</param>
/// <param name="StrideHeight">Input rows from a window to the next.</param>
/// <param name="StrideWidth">Input columns from a window to the next.</param>
/// <param name="PaddingHeight">
/// Rows by which the first window begins above the input; below the kernel's, so that no window is empty.
/// </param>
/// <param name="PaddingWidth">Columns by which the first window begins left of the input; below the kernel's.</param>
internal readonly record struct PoolingShape(
    int Height,
    int Width,
    int Channels,
    int KernelHeight,
    int KernelWidth,
    int StrideHeight,
    int StrideWidth,
    int PaddingHeight = 0,
    int PaddingWidth = 0
)
{
    /// <summary>Rows of the output; 0 where the kernel does not fit.</summary>
    public int OutputHeight => OutputSize(Height, KernelHeight, StrideHeight, PaddingHeight);

    /// <summary>Columns of the output; 0 where the kernel does not fit.</summary>
    public int OutputWidth => OutputSize(Width, KernelWidth, StrideWidth, PaddingWidth);

    /// <summary>Floats of one input image.</summary>
    public int InputLength => checked(Height * Width * Channels);

    /// <summary>Floats of one output image.</summary>
    public int OutputLength => checked(OutputHeight * OutputWidth * Channels);

    /// <summary>Rows of inputs and of windows.</summary>
    internal PoolingAxis Vertical => new(Height, KernelHeight, StrideHeight, PaddingHeight);

    /// <summary>Columns of inputs and of windows.</summary>
    internal PoolingAxis Horizontal => new(Width, KernelWidth, StrideWidth, PaddingWidth);

    /// <summary>Refuses sizes that no pooling has, and buffers that do not fit them.</summary>
    /// <exception cref="ArgumentException">A size is out of range, or a length does not fit.</exception>
    internal void Check(int rows, int inputs, int outputs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Channels, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        Vertical.Check();
        Horizontal.Check();
        if (inputs != (long)rows * InputLength || outputs != (long)rows * OutputLength)
            throw new ArgumentException($"{rows} images of {InputLength} and {OutputLength} floats do not have {inputs} and {outputs}.");
    }

    private static int OutputSize(int size, int kernel, int stride, int padding)
    {
        var room = size + (2L * padding) - kernel;
        return room < 0 ? 0 : (int)(room / stride) + 1;
    }
}
