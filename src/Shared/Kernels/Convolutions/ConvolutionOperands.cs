using Distributed.Kernels.Products;

namespace Distributed.Kernels.Convolutions;

/// <summary>A run of consecutive terms of a tile's chains, at equal distances in both operands.</summary>
/// <param name="Left">Floats from each row's pointer to its first factor.</param>
/// <param name="Right">Floats from the right operand's start to the first vectors.</param>
/// <param name="Length">Terms, at least one.</param>
/// <param name="Rows">A bit for each row of the tile that takes part: not all do where padding cuts off some of the tile's taps.</param>
internal readonly record struct ConvolutionRun(int Left, int Right, int Length, int Rows);

/// <summary>What one call of a <see cref="ConvolutionTile"/> works on.</summary>
internal unsafe struct ConvolutionOperands
{
    /// <summary>[rows]: where each row's factors are counted from.</summary>
    public float** Left;

    /// <summary>
    /// The right operand from the tile's first column on: a row for each term; for kernels with unit stride,
    /// of <see cref="RegisterTile.PanelColumns"/> floats.
    /// </summary>
    public float* Right;

    /// <summary>[rows]: where each row's sums go.</summary>
    public float** Destination;

    /// <summary>The chains' terms in their order, as far as one image goes.</summary>
    public ConvolutionRun* Runs;

    /// <summary>Number of runs; may be zero.</summary>
    public int RunCount;

    /// <summary>Times that the runs are gone through, at least once.</summary>
    public int Images;

    /// <summary>Floats from an image to the next in the left operand.</summary>
    public nint LeftImage;

    /// <summary>Floats from an image to the next in the right operand.</summary>
    public nint RightImage;

    /// <summary>Floats from a term to the next in the left operand, for strided kernels.</summary>
    public nint LeftStep;

    /// <summary>Floats from a term to the next in the right operand, for strided kernels.</summary>
    public nint RightStep;

    /// <summary>What is added to the sums at the end, before the kernel's activation: [columns]; or null, then neither is done.</summary>
    public float* Bias;

    /// <summary>Whether the chains go on from what the destination holds; otherwise they start from +0.</summary>
    public bool Resume;
}
