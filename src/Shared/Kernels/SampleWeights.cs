using System.Runtime.CompilerServices;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels;

/// <summary>
/// Lets samples count by weights: the loss and the gradient of each are multiplied by the weight of its class, by a weight of its own, or
/// by their product. Sums are still divided by the number of samples, not of weights.
/// </summary>
internal static unsafe class SampleWeights
{
    /// <summary>Multiplies losses and gradients.</summary>
    /// <param name="gradient">[rows, outputs]; overwritten.</param>
    /// <param name="losses">[rows]; overwritten.</param>
    /// <param name="targets">[rows, stride]: the first word of a row is its class, the last one may be the bits of its weight.</param>
    /// <param name="classWeights">[classes], of which targets are indices; empty if classes count alike.</param>
    /// <param name="hasWeights">Whether the last word of a target is the sample's own weight.</param>
    /// <param name="team">The threads to share the work, if any.</param>
    /// <exception cref="ArgumentException">A length does not fit the shape; nothing is written then.</exception>
    public static void Apply(
        Span<float> gradient,
        Span<float> losses,
        ReadOnlySpan<int> targets,
        ReadOnlySpan<float> classWeights,
        bool hasWeights,
        ComputeTeam? team = null
    )
    {
        var rows = losses.Length;
        if (rows == 0)
            return;
        if (gradient.Length % rows != 0 || targets.Length < rows || targets.Length % rows != 0)
            throw new ArgumentException($"{gradient.Length} gradients and {targets.Length} words of targets are not {rows} rows.");
        fixed (
            float* gradients = gradient,
                loss = losses,
                ofClass = classWeights
        )
        fixed (int* target = targets)
        {
            var kernel = new Rows(gradients, gradient.Length / rows, loss, target, targets.Length / rows, ofClass, hasWeights);
            VectorizedWork.Run(kernel, rows, gradient.Length, team);
        }
    }

    private readonly struct Rows(float* gradients, int width, float* losses, int* targets, int stride, float* classWeights, bool hasWeights)
        : IVectorizedRange
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Execute<TLanes, TVector>(int start, int end)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            for (nint row = start; row < end; row++)
            {
                var target = targets + (row * stride);
                var weight = classWeights is null ? 1 : classWeights[*target];
                if (hasWeights)
                    weight *= BitConverter.Int32BitsToSingle(target[stride - 1]);
                losses[row] *= weight;
                var gradient = gradients + (row * width);
                nint i = 0;
                for (var factor = TLanes.Broadcast(weight); i + TLanes.Count <= width; i += TLanes.Count)
                    TLanes.Store(TLanes.Multiply(TLanes.Load(gradient + i), factor), gradient + i);
                for (; i < width; i++)
                    gradient[i] *= weight;
            }
        }
    }
}
