using Distributed.Kernels.Threads;

namespace Distributed.Kernels.Normalization;

/// <summary>
/// Batch normalisation (S. Ioffe and C. Szegedy, "Batch normalization", 2015) over channels-last images, with each microbatch normalised by
/// its own statistics: y = (x - mean) / sqrt(variance + epsilon) * weight + bias, channel by channel. A sum over a microbatch is a chain
/// over the pixels of a sample, and a chain over the samples' sums, both from +0. A single value in a microbatch is its own mean: it leaves
/// only the bias.
/// </summary>
internal static unsafe class BatchNormalization
{
    /// <summary>Normalises each microbatch by its own mean and biased variance, in training.</summary>
    /// <param name="input">[rows, positions, channels].</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="weight">[channels].</param>
    /// <param name="bias">[channels].</param>
    /// <param name="epsilon">Added to the variances, above 0.</param>
    /// <param name="statistics">[microbatches, 3, channels]; overwritten, for <see cref="Backward"/>.</param>
    /// <param name="output">[rows, positions, channels]; overwritten.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">A size is out of range, or a length does not fit.</exception>
    public static void Forward(
        ReadOnlySpan<float> input,
        in BatchNormalizationShape shape,
        ReadOnlySpan<float> weight,
        ReadOnlySpan<float> bias,
        float epsilon,
        Span<float> statistics,
        Span<float> output,
        ComputeTeam team
    )
    {
        shape.Check(input.Length, output.Length, statistics.Length);
        CheckChannels(shape, weight.Length, bias.Length);
        fixed (
            float* x = input,
                w = weight,
                b = bias,
                s = statistics,
                y = output
        )
        {
            var forward = new BatchNormalizationForward(x, shape, w, b, epsilon, s, y);
            new BatchNormalizationChannels<BatchNormalizationForward>(forward, shape).Run(team);
        }
    }

    /// <summary>Normalises by given statistics, in evaluation.</summary>
    /// <param name="input">[rows, positions, channels].</param>
    /// <param name="shape">The sizes; the microbatch does not matter.</param>
    /// <param name="parameters">[4, channels]: weight, bias, mean, variance.</param>
    /// <param name="epsilon">Added to the variances, above 0.</param>
    /// <param name="output">[rows, positions, channels]; overwritten.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">A size is out of range, or a length does not fit.</exception>
    public static void Evaluate(
        ReadOnlySpan<float> input,
        in BatchNormalizationShape shape,
        ReadOnlySpan<float> parameters,
        float epsilon,
        Span<float> output,
        ComputeTeam team
    )
    {
        shape.Check(input.Length, output.Length, shape.StatisticsLength);
        if (parameters.Length != (long)BatchNormalizationShape.Parameters * shape.Channels)
        {
            throw new ArgumentException(
                $"{parameters.Length} parameters are not {BatchNormalizationShape.Parameters} for each of {shape.Channels} channels."
            );
        }

        fixed (
            float* x = input,
                p = parameters,
                y = output
        )
        {
            var evaluation = new BatchNormalizationEvaluation(x, shape, p, epsilon, y);
            new BatchNormalizationChannels<BatchNormalizationEvaluation>(evaluation, shape).Run(team);
        }
    }

    /// <summary>
    /// Takes the gradient back. With n values in a microbatch's channel, d = x - mean and r = 1 / sqrt(variance + epsilon):
    /// inputGradient = (g - sum(g)/n - d r^2 sum(g d)/n) r weight; the weight's gradient is sum(g d) r, the bias's sum(g).
    /// </summary>
    /// <param name="input">[rows, positions, channels], as it was in <see cref="Forward"/>.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="weight">[channels].</param>
    /// <param name="statistics">[microbatches, 3, channels], from <see cref="Forward"/>.</param>
    /// <param name="outputGradient">[rows, positions, channels].</param>
    /// <param name="inputGradient">[rows, positions, channels], or empty where it is not wanted; overwritten.</param>
    /// <param name="partials">[microbatches, 4, channels]; overwritten by what each microbatch adds to the next.</param>
    /// <param name="parameterGradient">
    /// [4, channels]; overwritten by the sums along the tree over the microbatches: the gradients of weight and bias, and of the running
    /// statistics rows * mean and rows * variance, which the number of samples divides in the end.
    /// </param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">A size is out of range, or a length does not fit.</exception>
    public static void Backward(
        ReadOnlySpan<float> input,
        in BatchNormalizationShape shape,
        ReadOnlySpan<float> weight,
        ReadOnlySpan<float> statistics,
        ReadOnlySpan<float> outputGradient,
        Span<float> inputGradient,
        Span<float> partials,
        Span<float> parameterGradient,
        ComputeTeam team
    )
    {
        shape.Check(input.Length, outputGradient.Length, statistics.Length);
        CheckChannels(shape, weight.Length, weight.Length);
        if ((!inputGradient.IsEmpty && inputGradient.Length != shape.Length) || partials.Length != shape.PartialsLength)
            throw new ArgumentException($"{shape} does not fit {inputGradient.Length} gradients and {partials.Length} parts.");
        fixed (
            float* x = input,
                w = weight,
                s = statistics,
                g = outputGradient,
                dx = inputGradient,
                p = partials
        )
        {
            var backward = new BatchNormalizationBackward(x, shape, w, s, g, dx, p);
            new BatchNormalizationChannels<BatchNormalizationBackward>(backward, shape).Run(team);
        }

        ColumnSums.Compute(partials, BatchNormalizationShape.Parameters * shape.Channels, shape.Microbatches, 1, parameterGradient, team);
    }

    private static void CheckChannels(in BatchNormalizationShape shape, int weights, int biases)
    {
        if (weights != shape.Channels || biases != shape.Channels)
            throw new ArgumentException($"{weights} weights and {biases} biases, but {shape.Channels} channels.");
    }
}
