namespace Distributed.Kernels.Pooling;

/// <summary>One side of a pooling: which inputs a window covers, and which windows cover an input.</summary>
/// <param name="Size">Inputs along this side.</param>
/// <param name="Kernel">Inputs of a whole window.</param>
/// <param name="Stride">Inputs from a window to the next.</param>
/// <param name="Padding">Inputs by which the first window begins before the first input.</param>
internal readonly record struct PoolingAxis(int Size, int Kernel, int Stride, int Padding)
{
    /// <summary>The inputs in a window, First to below End, and the tap that the first of them has.</summary>
    public (int First, int End, int Tap) Covered(int window)
    {
        var start = (window * Stride) - Padding;
        var first = Math.Max(start, 0);
        return (first, Math.Min(start + Kernel, Size), first - start);
    }

    /// <summary>The number of inputs in a window.</summary>
    public int Count(int window)
    {
        (var first, var end, _) = Covered(window);
        return end - first;
    }

    /// <summary>The windows that cover an input, First to below End.</summary>
    public (int First, int End) Covering(int input, int outputs)
    {
        var position = input + Padding;
        var first = position < Kernel ? 0 : ((position - Kernel) / Stride) + 1;
        var end = Math.Min((position / Stride) + 1, outputs);
        return (Math.Min(first, end), end);
    }

    /// <summary>Moves the range of windows that cover an input, First to below End, from one input to a later one.</summary>
    public (int First, int End) Advance((int First, int End) windows, int input, int outputs)
    {
        var (first, end) = windows;
        while (first < outputs && (first * Stride) - Padding + Kernel <= input)
            first++;
        while (end < outputs && (end * Stride) - Padding <= input)
            end++;
        return (first, end);
    }

    public void Check()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Size, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Kernel, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Stride, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(Padding);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(Padding, Kernel);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Kernel, Size + (2L * Padding), nameof(Kernel));
    }
}
