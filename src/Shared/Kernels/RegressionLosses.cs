using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels;

/// <summary>
/// Losses over numbers: the loss of a sample is the sum over its targets of a function of the distance between output and target, see
/// <see cref="IRegressionLoss"/>. Losses and gradients are those of the samples, not means.
/// </summary>
internal static unsafe class RegressionLosses
{
    /// <summary>Computes the terms and replaces the outputs by the gradient of the losses.</summary>
    /// <param name="outputs">[rows, targets], row-major; overwritten by the gradient.</param>
    /// <param name="targets">[rows, stride], the bits of floats; what lies behind the targets of a row is left aside.</param>
    /// <param name="scales">[targets], what distances are multiplied by where they are summed up for people.</param>
    /// <param name="losses">[rows]; overwritten by the losses, which are not finite where outputs are not.</param>
    /// <param name="squares">[rows]; overwritten by the sum over the targets of (scale * distance)^2.</param>
    /// <param name="distances">[rows]; overwritten by the sum over the targets of scale * distance.</param>
    /// <param name="loss">The function.</param>
    /// <param name="team">The threads to share the work, if any.</param>
    /// <exception cref="ArgumentException">A length does not fit the shape; nothing is written then.</exception>
    public static void ForwardBackward<TLoss>(
        Span<float> outputs,
        ReadOnlySpan<int> targets,
        ReadOnlySpan<float> scales,
        Span<float> losses,
        Span<float> squares,
        Span<float> distances,
        TLoss loss,
        ComputeTeam? team = null
    )
        where TLoss : unmanaged, IRegressionLoss
    {
        Check(outputs.Length, targets.Length, scales.Length, losses.Length, squares.Length, distances.Length);
        fixed (float* output = outputs)
            Run(output, targets, scales, losses, squares, distances, loss, backward: true, team);
    }

    /// <summary>Computes the terms only; the outputs stay. Parameters and errors as in <see cref="ForwardBackward"/>.</summary>
    public static void Forward<TLoss>(
        ReadOnlySpan<float> outputs,
        ReadOnlySpan<int> targets,
        ReadOnlySpan<float> scales,
        Span<float> losses,
        Span<float> squares,
        Span<float> distances,
        TLoss loss,
        ComputeTeam? team = null
    )
        where TLoss : unmanaged, IRegressionLoss
    {
        Check(outputs.Length, targets.Length, scales.Length, losses.Length, squares.Length, distances.Length);
        fixed (float* output = outputs)
            Run(output, targets, scales, losses, squares, distances, loss, backward: false, team);
    }

    private static void Run<TLoss>(
        float* outputs,
        ReadOnlySpan<int> targets,
        ReadOnlySpan<float> scales,
        Span<float> losses,
        Span<float> squares,
        Span<float> distances,
        TLoss loss,
        bool backward,
        ComputeTeam? team
    )
        where TLoss : unmanaged, IRegressionLoss
    {
        var rows = losses.Length;
        if (rows == 0)
            return;
        var stride = targets.Length / rows;
        fixed (int* target = targets)
        fixed (
            float* scale = scales,
                lossTerm = losses,
                square = squares,
                distance = distances
        )
        {
            var kernel = new RegressionRows<TLoss>(
                outputs,
                (float*)target,
                scales.Length,
                stride,
                scale,
                lossTerm,
                square,
                distance,
                loss,
                backward
            );
            VectorizedWork.Run(kernel, rows, (long)rows * scales.Length, team);
        }
    }

    private static void Check(int outputs, int targets, int width, int losses, int squares, int distances)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        var fits = outputs == (long)losses * width && squares == losses && distances == losses;
        if (!fits || targets < outputs || (losses > 0 && targets % losses != 0))
        {
            throw new ArgumentException(
                $"{losses} rows of {width} targets need as many outputs, targets and terms, "
                    + $"not {outputs} outputs, {targets} words of targets, {squares} squares and {distances} distances."
            );
        }
    }
}
