using System.Runtime.CompilerServices;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels;

/// <summary>Constants of stochastic gradient descent, as in torch.optim.SGD with dampening 0.</summary>
/// <param name="LearningRate">Step length.</param>
/// <param name="Momentum">Share of the velocity kept; 0 for plain descent.</param>
/// <param name="Nesterov">Whether the step looks ahead along the velocity.</param>
/// <param name="WeightDecay">Factor of the weights that is added to the gradient.</param>
internal readonly record struct SgdSettings(float LearningRate, float Momentum, bool Nesterov, float WeightDecay);

/// <summary>Constants of Adam (Kingma and Ba, 2015) and AdamW (Loshchilov and Hutter, 2019), as in torch.optim.</summary>
/// <param name="LearningRate">Step length.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the corrected second moment.</param>
/// <param name="WeightDecay">Factor of the weights that is added to the gradient, or, decoupled, taken from the weights themselves.</param>
/// <param name="Decoupled">Whether the decay is AdamW's.</param>
internal readonly record struct AdamSettings(
    float LearningRate,
    double Beta1,
    double Beta2,
    double Epsilon,
    double WeightDecay,
    bool Decoupled
);

/// <summary>Constants of Adagrad (Duchi, Hazan and Singer, 2011), as in torch.optim.Adagrad without decay of the rate.</summary>
/// <param name="LearningRate">Step length.</param>
/// <param name="Epsilon">Added to the root of the sum.</param>
/// <param name="WeightDecay">Factor of the weights that is added to the gradient.</param>
internal readonly record struct AdagradSettings(float LearningRate, float Epsilon, float WeightDecay);

/// <summary>
/// Optimizer steps, each one fused pass that reads a state and writes the next one. The gradient of the mean loss is gradientSum / samples,
/// times the clip scale. All spans are flat parameter vectors of one length; a written span may be exactly the one it is computed from, or
/// disjoint. Between a team's <see cref="ComputeTeam.BeginDeferring"/> and <see cref="ComputeTeam.EndDeferring"/>, a step may be done as
/// late as the latter: the spans' memory must not move.
/// </summary>
internal static unsafe class OptimizerKernels
{
    /// <summary>
    /// g = gradient + decay w; v' = momentum v + g; w' = w - rate (nesterov ? g + momentum v' : v'). Without momentum the velocities are
    /// not used and may be empty.
    /// </summary>
    /// <param name="settings">The constants.</param>
    /// <param name="gradientSum">Sum of the samples' gradients.</param>
    /// <param name="samples">Samples summed over.</param>
    /// <param name="clipScale">Factor from gradient clipping; 1 for none.</param>
    /// <param name="weights">Weights before the step.</param>
    /// <param name="velocity">Velocity before the step, zeros before the first.</param>
    /// <param name="nextWeights">Overwritten by the weights after the step.</param>
    /// <param name="nextVelocity">Overwritten by the velocity after the step.</param>
    /// <param name="team">Threads to share the work, or null for the caller alone.</param>
    /// <param name="vectorLength">
    /// Length of the vectors that the spans are a part of, if they are: it decides how results are stored, and no bit.
    /// </param>
    /// <exception cref="ArgumentException">Lengths differ, or there are no samples.</exception>
    public static void MomentumSgd(
        in SgdSettings settings,
        ReadOnlySpan<float> gradientSum,
        int samples,
        float clipScale,
        ReadOnlySpan<float> weights,
        ReadOnlySpan<float> velocity,
        Span<float> nextWeights,
        Span<float> nextVelocity,
        ComputeTeam? team,
        int vectorLength = 0
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(samples, 1);
        CheckLengths(gradientSum.Length, weights.Length, nextWeights.Length);
        if (settings.Momentum != 0)
            CheckLengths(gradientSum.Length, velocity.Length, nextVelocity.Length);
        fixed (
            float* g = gradientSum,
                w = weights,
                v = velocity,
                w2 = nextWeights,
                v2 = nextVelocity
        )
        {
            if (settings.Momentum == 0)
            {
                Elementwise.Defer(new PlainStep(settings, g, samples, clipScale, w, w2), weights.Length, team);
            }
            else if (StreamingStore.Suits(5L * Math.Max(weights.Length, vectorLength), (nuint)w2 | (nuint)v2))
            {
                StreamingStore.Defer(new MomentumStep<StreamingStore>(settings, g, samples, clipScale, w, v, w2, v2), weights.Length, team);
            }
            else
            {
                Elementwise.Defer(new MomentumStep<CachedStore>(settings, g, samples, clipScale, w, v, w2, v2), weights.Length, team);
            }
        }
    }

    /// <summary>
    /// m' = m + (1 - beta1)(g - m); v' = beta2 v + (1 - beta2) g^2; w' = w - rate / (1 - beta1^t) * m' / (sqrt(v') / sqrt(1 - beta2^t) +
    /// epsilon), where weight decay joins g, or, decoupled, scales w by 1 - rate decay first. The corrections are computed in double
    /// precision.
    /// </summary>
    /// <param name="settings">The constants.</param>
    /// <param name="step">The step's number t, from 1.</param>
    /// <param name="gradientSum">Sum of the samples' gradients.</param>
    /// <param name="samples">Samples summed over.</param>
    /// <param name="clipScale">Factor from gradient clipping; 1 for none.</param>
    /// <param name="weights">Weights before the step.</param>
    /// <param name="first">First moment before the step, zeros before the first.</param>
    /// <param name="second">Second moment before the step, zeros before the first.</param>
    /// <param name="nextWeights">Overwritten by the weights after the step.</param>
    /// <param name="nextFirst">Overwritten by the first moment after the step.</param>
    /// <param name="nextSecond">Overwritten by the second moment after the step.</param>
    /// <param name="team">Threads to share the work, or null for the caller alone.</param>
    /// <param name="vectorLength">
    /// Length of the vectors that the spans are a part of, if they are: it decides how results are stored, and no bit.
    /// </param>
    /// <exception cref="ArgumentException">Lengths differ, there are no samples, or the step is below 1.</exception>
    public static void Adam(
        in AdamSettings settings,
        long step,
        ReadOnlySpan<float> gradientSum,
        int samples,
        float clipScale,
        ReadOnlySpan<float> weights,
        ReadOnlySpan<float> first,
        ReadOnlySpan<float> second,
        Span<float> nextWeights,
        Span<float> nextFirst,
        Span<float> nextSecond,
        ComputeTeam? team,
        int vectorLength = 0
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(samples, 1);
        CheckLengths(gradientSum.Length, weights.Length, nextWeights.Length);
        CheckLengths(gradientSum.Length, first.Length, nextFirst.Length);
        CheckLengths(gradientSum.Length, second.Length, nextSecond.Length);
        fixed (
            float* g = gradientSum,
                w = weights,
                m = first,
                v = second,
                w2 = nextWeights,
                m2 = nextFirst,
                v2 = nextSecond
        )
        {
            var constants = new AdamConstants(settings, step, samples, clipScale);
            if (StreamingStore.Suits(7L * Math.Max(weights.Length, vectorLength), (nuint)w2 | (nuint)m2 | (nuint)v2))
                StreamingStore.Defer(new AdamStep<StreamingStore>(constants, g, w, m, v, w2, m2, v2), weights.Length, team);
            else
                Elementwise.Defer(new AdamStep<CachedStore>(constants, g, w, m, v, w2, m2, v2), weights.Length, team);
        }
    }

    /// <summary>g = gradient + decay w; s' = s + g^2; w' = w - rate g / (sqrt(s') + epsilon).</summary>
    /// <param name="settings">The constants.</param>
    /// <param name="gradientSum">Sum of the samples' gradients.</param>
    /// <param name="samples">Samples summed over.</param>
    /// <param name="clipScale">Factor from gradient clipping; 1 for none.</param>
    /// <param name="weights">Weights before the step.</param>
    /// <param name="sums">Sums before the step, zeros before the first.</param>
    /// <param name="nextWeights">Overwritten by the weights after the step.</param>
    /// <param name="nextSums">Overwritten by the sums after the step.</param>
    /// <param name="team">Threads to share the work, or null for the caller alone.</param>
    /// <param name="vectorLength">
    /// Length of the vectors that the spans are a part of, if they are: it decides how results are stored, and no bit.
    /// </param>
    /// <exception cref="ArgumentException">Lengths differ, or there are no samples.</exception>
    public static void Adagrad(
        in AdagradSettings settings,
        ReadOnlySpan<float> gradientSum,
        int samples,
        float clipScale,
        ReadOnlySpan<float> weights,
        ReadOnlySpan<float> sums,
        Span<float> nextWeights,
        Span<float> nextSums,
        ComputeTeam? team,
        int vectorLength = 0
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(samples, 1);
        CheckLengths(gradientSum.Length, weights.Length, nextWeights.Length);
        CheckLengths(gradientSum.Length, sums.Length, nextSums.Length);
        fixed (
            float* g = gradientSum,
                w = weights,
                s = sums,
                w2 = nextWeights,
                s2 = nextSums
        )
        {
            if (StreamingStore.Suits(5L * Math.Max(weights.Length, vectorLength), (nuint)w2 | (nuint)s2))
                StreamingStore.Defer(new AdagradStep<StreamingStore>(settings, g, samples, clipScale, w, s, w2, s2), weights.Length, team);
            else
                Elementwise.Defer(new AdagradStep<CachedStore>(settings, g, samples, clipScale, w, s, w2, s2), weights.Length, team);
        }
    }

    private static void CheckLengths(int gradient, int current, int next)
    {
        if (current != gradient || next != gradient)
            throw new ArgumentException($"The gradient has {gradient} elements, the state {current} and the next state {next}.");
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector MeanGradient<TLanes, TVector>(float* gradientSum, float samples, float clipScale, float decay, TVector weights)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var mean = TLanes.Divide(TLanes.Load(gradientSum), TLanes.Broadcast(samples));
        var clipped = TLanes.Multiply(mean, TLanes.Broadcast(clipScale));
        return TLanes.FusedMultiplyAdd(TLanes.Broadcast(decay), weights, clipped);
    }

    private readonly struct PlainStep(
        SgdSettings settings,
        float* gradientSum,
        float samples,
        float clipScale,
        float* weights,
        float* nextWeights
    ) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Apply<TLanes, TVector>(nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var w = TLanes.Load(weights + index);
            var g = MeanGradient<TLanes, TVector>(gradientSum + index, samples, clipScale, settings.WeightDecay, w);
            TLanes.Store(TLanes.FusedMultiplyAdd(TLanes.Broadcast(-settings.LearningRate), g, w), nextWeights + index);
        }
    }

    private readonly struct MomentumStep<TStore>(
        SgdSettings settings,
        float* gradientSum,
        float samples,
        float clipScale,
        float* weights,
        float* velocity,
        float* nextWeights,
        float* nextVelocity
    ) : IElementwise
        where TStore : struct, IStore
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Apply<TLanes, TVector>(nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var momentum = TLanes.Broadcast(settings.Momentum);
            var w = TLanes.Load(weights + index);
            var g = MeanGradient<TLanes, TVector>(gradientSum + index, samples, clipScale, settings.WeightDecay, w);
            var v = TLanes.FusedMultiplyAdd(momentum, TLanes.Load(velocity + index), g);
            var direction = settings.Nesterov ? TLanes.FusedMultiplyAdd(momentum, v, g) : v;
            TStore.Store<TLanes, TVector>(v, nextVelocity + index);
            TStore.Store<TLanes, TVector>(
                TLanes.FusedMultiplyAdd(TLanes.Broadcast(-settings.LearningRate), direction, w),
                nextWeights + index
            );
        }
    }

    private readonly struct AdagradStep<TStore>(
        AdagradSettings settings,
        float* gradientSum,
        float samples,
        float clipScale,
        float* weights,
        float* sums,
        float* nextWeights,
        float* nextSums
    ) : IElementwise
        where TStore : struct, IStore
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Apply<TLanes, TVector>(nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var w = TLanes.Load(weights + index);
            var g = MeanGradient<TLanes, TVector>(gradientSum + index, samples, clipScale, settings.WeightDecay, w);
            var s = TLanes.FusedMultiplyAdd(g, g, TLanes.Load(sums + index));
            var step = TLanes.Divide(g, TLanes.Add(TLanes.SquareRoot(s), TLanes.Broadcast(settings.Epsilon)));
            TStore.Store<TLanes, TVector>(s, nextSums + index);
            TStore.Store<TLanes, TVector>(TLanes.FusedMultiplyAdd(TLanes.Broadcast(-settings.LearningRate), step, w), nextWeights + index);
        }
    }

    /// <summary>What one step's elements have in common, computed in double precision and rounded once.</summary>
    private readonly struct AdamConstants(in AdamSettings settings, long step, int samples, float clipScale)
    {
        public readonly float Samples = samples;
        public readonly float ClipScale = clipScale;
        public readonly float CoupledDecay = settings.Decoupled ? 0 : (float)settings.WeightDecay;
        public readonly float Shrink = settings.Decoupled ? (float)(1 - (settings.LearningRate * settings.WeightDecay)) : 1;
        public readonly float OneMinusBeta1 = (float)(1 - settings.Beta1);
        public readonly float Beta2 = (float)settings.Beta2;
        public readonly float OneMinusBeta2 = (float)(1 - settings.Beta2);
        public readonly float StepSize = (float)(settings.LearningRate / (1 - ScalarMath.Power(settings.Beta1, step)));
        public readonly float RootOfCorrection2 = (float)Math.Sqrt(1 - ScalarMath.Power(settings.Beta2, step));
        public readonly float Epsilon = (float)settings.Epsilon;
    }

    private readonly struct AdamStep<TStore>(
        AdamConstants constants,
        float* gradientSum,
        float* weights,
        float* first,
        float* second,
        float* nextWeights,
        float* nextFirst,
        float* nextSecond
    ) : IElementwise
        where TStore : struct, IStore
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Apply<TLanes, TVector>(nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var w = TLanes.Load(weights + index);
            var g = MeanGradient<TLanes, TVector>(gradientSum + index, constants.Samples, constants.ClipScale, constants.CoupledDecay, w);
            var m = TLanes.Load(first + index);
            m = TLanes.FusedMultiplyAdd(TLanes.Broadcast(constants.OneMinusBeta1), TLanes.Subtract(g, m), m);
            var v = TLanes.Multiply(TLanes.Broadcast(constants.Beta2), TLanes.Load(second + index));
            v = TLanes.FusedMultiplyAdd(TLanes.Multiply(TLanes.Broadcast(constants.OneMinusBeta2), g), g, v);
            var root = TLanes.Divide(TLanes.SquareRoot(v), TLanes.Broadcast(constants.RootOfCorrection2));
            var update = TLanes.Divide(m, TLanes.Add(root, TLanes.Broadcast(constants.Epsilon)));
            w = TLanes.Multiply(w, TLanes.Broadcast(constants.Shrink));
            TStore.Store<TLanes, TVector>(TLanes.FusedMultiplyAdd(TLanes.Broadcast(-constants.StepSize), update, w), nextWeights + index);
            TStore.Store<TLanes, TVector>(m, nextFirst + index);
            TStore.Store<TLanes, TVector>(v, nextSecond + index);
        }
    }
}
