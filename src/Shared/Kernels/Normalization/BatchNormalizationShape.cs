namespace Distributed.Kernels.Normalization;

/// <summary>The sizes of a batch normalisation over [rows, positions, channels].</summary>
/// <param name="Rows">Samples.</param>
/// <param name="Positions">Pixels of a sample; 1 for a plain vector of features.</param>
/// <param name="Channels">Channels of a pixel: each is normalised by itself.</param>
/// <param name="Microbatch">Samples that are normalised together, counted from row 0; the last microbatch may be short.</param>
internal readonly record struct BatchNormalizationShape(int Rows, int Positions, int Channels, int Microbatch)
{
    /// <summary>
    /// Numbers for each channel of a microbatch in the statistics: mean, biased variance, and 1 / sqrt(variance + epsilon).
    /// </summary>
    public const int Statistics = 3;

    /// <summary>Parameters of a channel: weight, bias, running mean and running variance.</summary>
    public const int Parameters = 4;

    /// <summary>Microbatches, the short one included.</summary>
    public int Microbatches => (int)(((long)Rows + Microbatch - 1) / Microbatch);

    /// <summary>Floats of the input.</summary>
    public int Length => checked(Rows * Positions * Channels);

    /// <summary>Floats of the statistics, [microbatches, 3, channels].</summary>
    public int StatisticsLength => checked(Microbatches * Statistics * Channels);

    /// <summary>Floats of the microbatches' parts of the gradient, [microbatches, 4, channels].</summary>
    public int PartialsLength => checked(Microbatches * Parameters * Channels);

    /// <summary>Refuses sizes below one, and spans of another length.</summary>
    /// <exception cref="ArgumentException">A size is below one, or a length does not fit.</exception>
    internal void Check(int input, int output, int statistics)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(Rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(Positions, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Channels, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Microbatch, 1);
        if (input != Length || output != Length || statistics != StatisticsLength)
            throw new ArgumentException($"{this} does not fit {input} inputs, {output} outputs and {statistics} statistics.");
    }
}
