using System.Runtime.CompilerServices;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels;

/// <summary>
/// The rows of a fused softmax and cross-entropy, which share nothing but the count of correct ones. A row is read for its maximum, then
/// its exponentials, then its gradient; one of 100,000 classes still lies in a second level cache from the first of these to the last, so
/// that memory is read once. The exponentials are summed in 16 lanes (element j in lane j mod 16) that are folded by halves, whatever the
/// width; the last block is filled up with minus infinity, whose exponential adds +0.
/// </summary>
internal readonly unsafe struct SoftmaxRows(
    float* logits,
    int* labels,
    int classes,
    float labelSmoothing,
    float* losses,
    bool backward,
    int* correct,
    int stride = 1
) : IVectorizedRange
{
    private const int Block = 16;

    private readonly int _whole = classes / Block * Block;
    private readonly float _share = labelSmoothing / classes; // of every class in the target
    private readonly float _certainty = 1 - labelSmoothing; // what the label has beyond it

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Execute<TLanes, TVector>(int start, int end)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var hits = 0;
        var rest = stackalloc float[Block]; // the last block of a row
        var lanes = stackalloc float[Block];
        for (var row = start; row < end; row++)
        {
            var z = logits + ((nint)row * classes);
            var label = labels[(nint)row * stride];
            var maximum = Maximum<TLanes, TVector>(z, classes, lanes);
            if (z[label] == maximum && (label == 0 || Maximum<TLanes, TVector>(z, label, lanes) < maximum))
                hits++;
            var target = Target<TLanes, TVector>(z, label, maximum); // read before the gradient overwrites it
            var sum = Exponentials<TLanes, TVector>(z, maximum, rest, lanes);
            losses[row] = (float)(ScalarMath.Log(sum) - target);
            if (!backward)
                continue;
            WriteGradient<TLanes, TVector>(z, sum, rest);
            z[label] -= _certainty;
        }

        Interlocked.Add(ref *correct, hits);
    }

    private static float Maximum<TLanes, TVector>(float* z, int count, float* lanes)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var maximum = z[0];
        var j = 0;
        if (count >= TLanes.Count)
        {
            var largest = TLanes.Load(z);
            for (j = TLanes.Count; j <= count - TLanes.Count; j += TLanes.Count)
            {
                var next = TLanes.Load(z + j);
                largest = TLanes.SelectGreater(next, largest, next, largest);
            }

            TLanes.Store(largest, lanes);
            for (var lane = 0; lane < TLanes.Count; lane++)
                maximum = lanes[lane] > maximum ? lanes[lane] : maximum;
        }

        for (; j < count; j++)
            maximum = z[j] > maximum ? z[j] : maximum;
        return maximum;
    }

    /// <summary>The mean of z - maximum under the target: the label's own, or with a share of all others.</summary>
    private float Target<TLanes, TVector>(float* z, int label, float maximum)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var shifted = z[label] - maximum;
        if (_share == 0)
            return shifted;
        var all = LaneSum.Of<Shifted, TLanes, TVector>(new Shifted(z, maximum), classes);
        return (_certainty * shifted) + (_share * all);
    }

    /// <summary>
    /// The sum of e^(z - maximum); on the way back the exponentials replace the logits, those of the last block stay in
    /// <paramref name="rest"/>.
    /// </summary>
    private float Exponentials<TLanes, TVector>(float* z, float maximum, float* rest, float* lanes)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        for (var j = 0; j < Block; j += TLanes.Count)
            TLanes.Store(TLanes.Broadcast(float.NegativeInfinity), rest + j);
        for (var j = _whole; j < classes; j++)
            rest[j - _whole] = z[j];
        var shift = TLanes.Broadcast(maximum);
        for (var lane = 0; lane < Block; lane += TLanes.Count)
        {
            TVector sum = default;
            for (nint j = lane; j < _whole; j += Block)
            {
                var exponential = ElementaryFunctions.Exp<TLanes, TVector>(TLanes.Subtract(TLanes.Load(z + j), shift));
                sum = TLanes.Add(sum, exponential);
                if (backward)
                    TLanes.Store(exponential, z + j);
            }

            var last = ElementaryFunctions.Exp<TLanes, TVector>(TLanes.Subtract(TLanes.Load(rest + lane), shift));
            TLanes.Store(last, rest + lane);
            TLanes.Store(TLanes.Add(sum, last), lanes + lane);
        }

        return LaneSum.Fold(lanes);
    }

    /// <summary>e^(z - maximum) / sum - share, from the exponentials.</summary>
    private void WriteGradient<TLanes, TVector>(float* z, float sum, float* rest)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        TVector divisor = TLanes.Broadcast(sum),
            share = TLanes.Broadcast(_share);
        for (nint j = 0; j < _whole; j += TLanes.Count)
            TLanes.Store(TLanes.Subtract(TLanes.Divide(TLanes.Load(z + j), divisor), share), z + j);
        for (var j = 0; j < Block; j += TLanes.Count)
            TLanes.Store(TLanes.Subtract(TLanes.Divide(TLanes.Load(rest + j), divisor), share), rest + j);
        for (var j = _whole; j < classes; j++)
            z[j] = rest[j - _whole];
    }

    private readonly struct Shifted(float* z, float maximum) : ISummand
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector AddTo<TLanes, TVector>(TVector sum, nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged => TLanes.Add(sum, TLanes.Subtract(TLanes.Load(z + index), TLanes.Broadcast(maximum)));
    }
}
