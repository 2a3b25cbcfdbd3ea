namespace Distributed.Kernels;

/// <summary>
/// The softmax fused with the cross-entropy loss, whose gradient with respect to the logits z is softmax(z) - onehot(label). Rows are shifted by
/// their true maximum, so any finite logits are safe. Losses and gradients are sums over samples, not means.
/// </summary>
public static unsafe class SoftmaxCrossEntropy
{
    /// <summary>Computes the losses and replaces the logits by their gradient.</summary>
    /// <param name="logits">[rows, classes], row-major; overwritten by softmax(z) - onehot(label).</param>
    /// <param name="labels">[rows], each in 0..classes-1.</param>
    /// <param name="classes">Classes, at least one.</param>
    /// <param name="losses">[rows]; overwritten by logsumexp(z) - z[label], not finite where the logits are not.</param>
    /// <returns>The number of rows whose first largest logit is the label's.</returns>
    /// <exception cref="ArgumentException">A length does not fit the shape, or a label is out of range; nothing is written then.</exception>
    public static int ForwardBackward(Span<float> logits, ReadOnlySpan<int> labels, int classes, Span<float> losses)
    {
        Check(logits.Length, labels, classes, losses.Length);
        fixed (float* z = logits, loss = losses)
        fixed (int* label = labels)
            return Run(new SoftmaxRows(z, label, labels.Length, classes, loss, backward: true));
    }

    /// <summary>Computes the losses only; the logits stay. Parameters, result and errors as in <see cref="ForwardBackward"/>.</summary>
    public static int Forward(ReadOnlySpan<float> logits, ReadOnlySpan<int> labels, int classes, Span<float> losses)
    {
        Check(logits.Length, labels, classes, losses.Length);
        fixed (float* z = logits, loss = losses)
        fixed (int* label = labels)
            return Run(new SoftmaxRows(z, label, labels.Length, classes, loss, backward: false));
    }

    private static int Run(SoftmaxRows rows)
    {
        int correct = 0;
        rows.Correct = &correct;
        VectorWidth.Execute(rows);
        return correct;
    }

    private static void Check(int logits, ReadOnlySpan<int> labels, int classes, int losses)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 1);
        if (logits != (long)labels.Length * classes || losses != labels.Length)
            throw new ArgumentException($"{labels.Length} labels of {classes} classes need as many losses and rows, not {losses} losses and {logits} logits.");
        for (int row = 0; row < labels.Length; row++)
        {
            if ((uint)labels[row] >= (uint)classes)
                throw new ArgumentOutOfRangeException(nameof(labels), $"Row {row} has label {labels[row]}, but labels are 0 to {classes - 1} ({classes} classes).");
        }
    }
}
