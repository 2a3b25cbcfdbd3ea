namespace Distributed.Checkpoints;

/// <summary>The version of the arithmetic that turns configuration, data and seed into weights.</summary>
/// <remarks>
/// It must be raised by every change after which some run ends in other bits: the order of a summation or of the taps of a
/// convolution, a formula of an optimizer or a schedule, an elementary function, the generator or what is drawn from it, the cutting
/// of batches into microbatches, the scaling of data, or a default of an option that decides the result. The golden weight hashes of
/// the tests show when that has happened. A run folder of another version is neither resumed nor verified.
/// </remarks>
internal static class NumericsVersion
{
    /// <summary>The version of this build.</summary>
    public const int Current = 1;
}
