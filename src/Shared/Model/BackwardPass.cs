namespace Distributed.Model;

/// <summary>What the backward pass of a layer, or of a sequence of layers, reads and writes.</summary>
internal readonly ref struct BackwardPass
{
    /// <summary>[rows, input length], as it was in the forward pass, unless <see cref="Layer.BackwardReadsInput"/> is false.</summary>
    public ReadOnlySpan<float> Input { get; init; }

    /// <summary>
    /// [rows, output length], likewise, unless <see cref="Layer.BackwardReadsOutput"/> is false or
    /// <see cref="ExecutorOptions.NextFusesGradient"/> is true. A sequence has its own.
    /// </summary>
    public ReadOnlySpan<float> Output { get; init; }

    /// <summary>Number of samples.</summary>
    public int Rows { get; init; }

    /// <summary>[rows, output length]; used as scratch.</summary>
    public Span<float> OutputGradient { get; init; }

    /// <summary>[rows, input length]; overwritten. Empty where no layer before this one has parameters.</summary>
    public Span<float> InputGradient { get; init; }

    /// <summary>
    /// All parameters of the layer, summed over the samples along the tree; overwritten, in a pass of several calls by the last. In the
    /// places of running statistics: the sums over the samples of what was observed (see <see cref="Parameter.RunningMomentum"/>).
    /// </summary>
    public Span<float> ParameterGradient { get; init; }

    /// <summary>The pass of the forward pass.</summary>
    public Pass Pass { get; init; }

    /// <summary>
    /// Reports parameters, counted from the layer's first, whose gradient is complete while the rest goes on; or null.
    /// </summary>
    public IBackwardProgress? Progress { get; init; }
}

/// <summary>Reports how far a backward pass has come, from the last parameters to the first.</summary>
internal interface IBackwardProgress
{
    /// <summary>
    /// The gradient is complete from an element of the flat vector to its end. Called on the thread that computes; the last call has 0.
    /// </summary>
    /// <param name="offset">The first element that is complete; never above that of an earlier call.</param>
    void CompletedFrom(int offset);
}
