using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels;

/// <summary>
/// The softmax fused with the cross-entropy loss, whose gradient with respect to the logits z is softmax(z) - target, with onehot(label) as
/// the target unless labels are smoothed. Rows are shifted by their true maximum, so any finite logits are safe. Losses and gradients are
/// those of the samples, not means.
/// </summary>
internal static unsafe class SoftmaxCrossEntropy
{
    /// <summary>Computes the losses and replaces the logits by their gradient.</summary>
    /// <param name="logits">[rows, classes], row-major; overwritten by softmax(z) - target.</param>
    /// <param name="labels">[rows, stride], of which the first of each row is in 0..classes-1; what lies behind it is left aside.</param>
    /// <param name="classes">Classes, at least one.</param>
    /// <param name="losses">[rows]; overwritten by logsumexp(z) - target . z, not finite where the logits are not.</param>
    /// <param name="labelSmoothing">
    /// s from 0 to below 1: the target is (1 - s) onehot(label) + s / classes (C. Szegedy et al., "Rethinking the Inception architecture",
    /// 2016).
    /// </param>
    /// <param name="team">The threads to share the work, if any.</param>
    /// <returns>The number of rows whose first largest logit is the label's.</returns>
    /// <exception cref="ArgumentException">
    /// A length does not fit the shape, or a label or the smoothing is out of range; nothing is written then.
    /// </exception>
    public static int ForwardBackward(
        Span<float> logits,
        ReadOnlySpan<int> labels,
        int classes,
        Span<float> losses,
        float labelSmoothing = 0,
        ComputeTeam? team = null
    )
    {
        Check(logits.Length, labels, classes, losses.Length);
        if (!(labelSmoothing >= 0 && labelSmoothing < 1))
            throw new ArgumentOutOfRangeException(nameof(labelSmoothing), labelSmoothing, "A label smoothing is at least 0 and below 1.");
        fixed (
            float* z = logits,
                loss = losses
        )
        fixed (int* label = labels)
        {
            var correct = 0;
            var rows = new SoftmaxRows(z, label, classes, labelSmoothing, loss, backward: true, &correct, Stride(labels, losses));
            VectorizedWork.Run(rows, losses.Length, logits.Length, team);
            return correct;
        }
    }

    /// <summary>
    /// Computes the losses only, without smoothing; the logits stay. Parameters, result and errors as in <see cref="ForwardBackward"/>.
    /// </summary>
    public static int Forward(
        ReadOnlySpan<float> logits,
        ReadOnlySpan<int> labels,
        int classes,
        Span<float> losses,
        ComputeTeam? team = null
    )
    {
        Check(logits.Length, labels, classes, losses.Length);
        fixed (
            float* z = logits,
                loss = losses
        )
        fixed (int* label = labels)
        {
            var correct = 0;
            var rows = new SoftmaxRows(z, label, classes, 0, loss, backward: false, &correct, Stride(labels, losses));
            VectorizedWork.Run(rows, losses.Length, logits.Length, team);
            return correct;
        }
    }

    private static int Stride(ReadOnlySpan<int> labels, ReadOnlySpan<float> losses) => losses.IsEmpty ? 1 : labels.Length / losses.Length;

    private static void Check(int logits, ReadOnlySpan<int> labels, int classes, int losses)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 1);
        var fits = losses == 0 ? labels.IsEmpty : labels.Length >= losses && labels.Length % losses == 0;
        if (logits != (long)losses * classes || !fits)
        {
            throw new ArgumentException(
                $"{losses} losses of {classes} classes need as many labels and rows, not {labels.Length} labels and {logits} logits."
            );
        }

        var stride = losses == 0 ? 1 : labels.Length / losses;
        for (var row = 0; row < losses; row++)
        {
            var label = labels[row * stride];
            if ((uint)label >= (uint)classes)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(labels),
                    $"Row {row} has label {label}, but labels are 0 to {classes - 1} ({classes} classes)."
                );
            }
        }
    }
}
