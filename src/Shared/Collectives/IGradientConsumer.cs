namespace Distributed.Collectives;

/// <summary>Takes what the owners of a step publish, piece by piece, as it arrives.</summary>
internal interface IGradientConsumer
{
    /// <summary>Takes a piece; together the pieces of a step cover the flat vector once, in no particular order.</summary>
    /// <param name="offset">Where the piece begins in the flat vector.</param>
    /// <param name="values">
    /// The gradient summed over all microbatches, or the updated weights where a parameter server owns the slices; valid until this
    /// returns or, if it is taken during a backward pass, until that ends.
    /// </param>
    void Take(int offset, ReadOnlySpan<float> values);
}

/// <summary>What a parameter server does with the reduced gradient of a step.</summary>
internal interface IParameterUpdate
{
    /// <summary>Whether no part can be updated before the whole gradient has arrived, as with clipping by its norm.</summary>
    bool NeedsWholeGradient { get; }

    /// <summary>Updates a part of the parameters.</summary>
    /// <param name="offset">Where it begins in the flat vector.</param>
    /// <param name="values">In: the gradient summed over all microbatches. Out: the updated weights.</param>
    void Update(int offset, Span<float> values);

    /// <summary>
    /// Completes the step, all of which has been updated: when every record has arrived, and before a worker can complete it.
    /// </summary>
    void Complete();
}
