namespace Distributed.Collectives;

/// <summary>Takes the reduced gradient of a step, piece by piece, as it arrives.</summary>
public interface IGradientConsumer
{
    /// <summary>Takes a piece; together the pieces of a step cover the flat vector once, in no particular order.</summary>
    /// <param name="offset">Where the piece begins in the flat vector.</param>
    /// <param name="gradientSum">
    /// The sum over all microbatches; valid until this returns or, if it is taken during a backward pass, until that ends, and not moved
    /// until then.
    /// </param>
    void Take(int offset, ReadOnlySpan<float> gradientSum);
}
