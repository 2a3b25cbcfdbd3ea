using System.Runtime.CompilerServices;

namespace Distributed.Kernels;

/// <summary>
/// The rows of a fused softmax and cross-entropy, for one vector width. The exponentials of a row are summed in 16 lanes (element j in lane j mod 16)
/// that are folded by halves, whatever the width; the last block is filled up with minus infinity, whose exponential adds +0.
/// </summary>
internal unsafe struct SoftmaxRows(float* logits, int* labels, int rows, int classes, float* losses, bool backward) : IVectorized
{
    private const int Block = 16;

    /// <summary>Receives the number of rows whose first maximum is the label's logit.</summary>
    public int* Correct;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Execute<TLanes, TVector>()
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        float* padded = stackalloc float[Block];
        for (int row = 0; row < rows; row++)
        {
            float* z = logits + ((nint)row * classes);
            int label = labels[row];
            float maximum = Maximum<TLanes, TVector>(z);
            if (IsFirstMaximum(z, label, maximum))
                ++*Correct;
            float shifted = z[label] - maximum; // read before the gradient overwrites it
            float sum = Exponentials<TLanes, TVector>(z, maximum, padded);
            losses[row] = (float)(ScalarMath.Log(sum) - shifted);
            if (!backward)
                continue;
            new Elementwise.Loop<Quotient>(new Quotient(z, sum), 0, classes).Execute<TLanes, TVector>();
            z[label] -= 1;
        }
    }

    private readonly float Maximum<TLanes, TVector>(float* z)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        float maximum = z[0];
        int j = 0;
        if (classes >= TLanes.Count)
        {
            TVector largest = TLanes.Load(z);
            for (j = TLanes.Count; j <= classes - TLanes.Count; j += TLanes.Count)
            {
                TVector next = TLanes.Load(z + j);
                largest = TLanes.SelectGreater(next, largest, next, largest);
            }

            float* lanes = stackalloc float[Block];
            TLanes.Store(largest, lanes);
            for (int lane = 0; lane < TLanes.Count; lane++)
                maximum = lanes[lane] > maximum ? lanes[lane] : maximum;
        }

        for (; j < classes; j++)
            maximum = z[j] > maximum ? z[j] : maximum;
        return maximum;
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

    /// <summary>The sum of e^(z - maximum); on the way back the exponentials replace the logits.</summary>
    private readonly float Exponentials<TLanes, TVector>(float* z, float maximum, float* padded)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        float* lanes = stackalloc float[Block];
        int j = 0;
        for (; j <= classes - Block; j += Block)
            ExponentialBlock<TLanes, TVector>(z + j, maximum, backward ? z + j : padded, lanes);
        int rest = classes - j;
        if (rest > 0)
        {
            new Span<float>(padded + rest, Block - rest).Fill(float.NegativeInfinity);
            new Span<float>(z + j, rest).CopyTo(new Span<float>(padded, rest));
            ExponentialBlock<TLanes, TVector>(padded, maximum, padded, lanes);
            if (backward)
                new Span<float>(padded, rest).CopyTo(new Span<float>(z + j, rest));
        }

        return Fold(lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ExponentialBlock<TLanes, TVector>(float* z, float maximum, float* destination, float* lanes)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        for (int lane = 0; lane < Block; lane += TLanes.Count)
        {
            TVector shifted = TLanes.Subtract(TLanes.Load(z + lane), TLanes.Broadcast(maximum));
            TVector exponential = ElementaryFunctions.Exp<TLanes, TVector>(shifted);
            TLanes.Store(TLanes.Add(TLanes.Load(lanes + lane), exponential), lanes + lane);
            TLanes.Store(exponential, destination + lane);
        }
    }

    private static float Fold(float* lanes)
    {
        for (int half = Block / 2; half > 0; half /= 2)
        {
            for (int lane = 0; lane < half; lane++)
                lanes[lane] += lanes[lane + half];
        }

        return lanes[0];
    }

    private readonly struct Quotient(float* values, float divisor) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Apply<TLanes, TVector>(nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged =>
            TLanes.Store(TLanes.Divide(TLanes.Load(values + index), TLanes.Broadcast(divisor)), values + index);
    }
}
