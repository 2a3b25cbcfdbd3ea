namespace Distributed.Kernels;

/// <summary>
/// The softmax fused with the cross-entropy loss, whose gradient with respect to the logits z is softmax(z) - onehot(label). Rows are shifted by
/// their true maximum, so any finite logits are safe. Losses and gradients are sums over samples, not means.
/// </summary>
public static unsafe class SoftmaxCrossEntropy
{
    /// <summary>Lanes of a row sum: element j is added in lane j mod 16, and the lanes are folded by halves.</summary>
    private const int Lanes = 16;

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
        int correct = 0;
        fixed (float* first = logits)
        {
            for (int row = 0; row < labels.Length; row++)
            {
                float* z = first + ((nint)row * classes);
                float maximum = Maximum(z, classes);
                correct += IsFirstMaximum(z, labels[row], maximum) ? 1 : 0;
                float shifted = z[labels[row]] - maximum;
                float sum = Exponentials(z, classes, maximum, z);
                losses[row] = (float)ScalarMath.Log(sum) - shifted;
                Divide(z, classes, sum);
                z[labels[row]] -= 1;
            }
        }

        return correct;
    }

    /// <summary>Computes the losses only; the logits stay. Parameters, result and errors as in <see cref="ForwardBackward"/>.</summary>
    public static int Forward(ReadOnlySpan<float> logits, ReadOnlySpan<int> labels, int classes, Span<float> losses)
    {
        Check(logits.Length, labels, classes, losses.Length);
        int correct = 0;
        fixed (float* first = logits)
        {
            for (int row = 0; row < labels.Length; row++)
            {
                float* z = first + ((nint)row * classes);
                float maximum = Maximum(z, classes);
                correct += IsFirstMaximum(z, labels[row], maximum) ? 1 : 0;
                losses[row] = (float)ScalarMath.Log(Exponentials(z, classes, maximum, null)) - (z[labels[row]] - maximum);
            }
        }

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

    private static bool IsFirstMaximum(float* z, int label, float maximum)
    {
        if (z[label] != maximum)
            return false;
        for (int j = 0; j < label; j++)
        {
            if (z[j] == maximum)
                return false;
        }

        return true;
    }

    private static float Maximum(float* z, int classes)
    {
        float maximum = z[0];
        for (int j = 1; j < classes; j++)
            maximum = z[j] > maximum ? z[j] : maximum;
        return maximum;
    }

    private static void Divide(float* values, int length, float divisor)
    {
        for (int j = 0; j < length; j++)
            values[j] /= divisor;
    }

    private static float Exponentials(float* z, int classes, float maximum, float* destination)
    {
        float* lanes = stackalloc float[Lanes];
        for (int j = 0; j < classes; j++)
        {
            float e = ElementaryFunctions.Exp<LanesScalar, float>(z[j] - maximum);
            lanes[j % Lanes] += e;
            if (destination != null)
                destination[j] = e;
        }

        for (int half = Lanes / 2; half > 0; half /= 2)
        {
            for (int lane = 0; lane < half; lane++)
                lanes[lane] += lanes[lane + half];
        }

        return lanes[0];
    }
}
