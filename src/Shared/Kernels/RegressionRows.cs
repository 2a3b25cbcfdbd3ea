using System.Runtime.CompilerServices;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels;

/// <summary>
/// The rows of a loss over numbers, which share nothing. The terms of a row are chains from +0 over its targets; rows of one target, the
/// usual case, are treated a vector of rows at a time, in the same bits.
/// </summary>
internal readonly unsafe struct RegressionRows<TLoss>(
    float* outputs,
    float* targets,
    int width,
    int stride,
    float* scales,
    float* losses,
    float* squares,
    float* distances,
    TLoss loss,
    bool backward
) : IVectorizedRange
    where TLoss : unmanaged, IRegressionLoss
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Execute<TLanes, TVector>(int start, int end)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var row = start;
        if (width == 1 && stride == 1)
        {
            for (; row + TLanes.Count <= end; row += TLanes.Count)
                RowsOfOne<TLanes, TVector>(row);
            for (; row < end; row++)
                RowsOfOne<LanesScalar, float>(row);
        }

        for (; row < end; row++)
            Row(row);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void RowsOfOne<TLanes, TVector>(nint row)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var error = TLanes.Subtract(TLanes.Load(outputs + row), TLanes.Load(targets + row));
        var distance = TLanes.CopySign(error, default);
        var scaled = TLanes.Multiply(TLanes.Broadcast(scales[0]), distance);
        TLanes.Store(loss.Value<TLanes, TVector>(distance), losses + row);
        TLanes.Store(TLanes.Multiply(scaled, scaled), squares + row);
        TLanes.Store(scaled, distances + row);
        if (backward)
            TLanes.Store(loss.Gradient<TLanes, TVector>(error, distance), outputs + row);
    }

    private void Row(nint row)
    {
        float* output = outputs + (row * width),
            target = targets + (row * stride);
        float sum = 0,
            squareSum = 0,
            distanceSum = 0;
        for (var i = 0; i < width; i++)
        {
            var error = output[i] - target[i];
            var distance = MathF.Abs(error);
            var scaled = scales[i] * distance;
            sum += loss.Value<LanesScalar, float>(distance);
            squareSum += scaled * scaled;
            distanceSum += scaled;
            if (backward)
                output[i] = loss.Gradient<LanesScalar, float>(error, distance);
        }

        losses[row] = sum;
        squares[row] = squareSum;
        distances[row] = distanceSum;
    }
}
