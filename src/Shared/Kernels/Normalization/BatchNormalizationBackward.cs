using System.Runtime.CompilerServices;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Normalization;

/// <summary>The gradients of one microbatch's channels: of the input unless <c>inputGradient</c> is null, and of the parameters.</summary>
internal readonly unsafe struct BatchNormalizationBackward(
    float* input,
    BatchNormalizationShape shape,
    float* weight,
    float* statistics,
    float* outputGradient,
    float* inputGradient,
    float* partials
) : IChannelKernel
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Apply<TLanes, TVector>(int microbatch, int channel)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var place = new MicrobatchPlace(shape, microbatch);
        var offset = place.Offset + channel;
        var statistic = statistics + ((nint)microbatch * BatchNormalizationShape.Statistics * shape.Channels) + channel;
        TVector mean = TLanes.Load(statistic),
            variance = TLanes.Load(statistic + shape.Channels),
            inverse = TLanes.Load(statistic + (2 * shape.Channels));
        var sum = Sums<TLanes, TVector>(offset, place, mean, out var product);

        var partial = partials + ((nint)microbatch * BatchNormalizationShape.Parameters * shape.Channels) + channel;
        var rows = TLanes.Broadcast(place.Rows);
        TLanes.Store(TLanes.Multiply(product, inverse), partial);
        TLanes.Store(sum, partial + shape.Channels);
        TLanes.Store(TLanes.Multiply(rows, mean), partial + (2 * shape.Channels));
        TLanes.Store(TLanes.Multiply(rows, variance), partial + (3 * shape.Channels));
        if (inputGradient == null)
            return;

        TVector count = TLanes.Broadcast(place.Pixels),
            scale = TLanes.Multiply(TLanes.Load(weight + channel), inverse);
        var slope = TLanes.Multiply(TLanes.Multiply(TLanes.Divide(product, count), inverse), inverse);
        WriteInputGradient<TLanes, TVector>(offset, place, mean, TLanes.Divide(sum, count), slope, scale);
    }

    /// <summary>The sum of g, and of g (x - mean) beside it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TVector Sums<TLanes, TVector>(nint offset, in MicrobatchPlace place, TVector mean, out TVector product)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        float* x = input + offset,
            g = outputGradient + offset;
        TVector totalSum = default,
            totalProduct = default;
        for (var row = 0; row < place.Rows; row++)
        {
            TVector sum = default,
                rowProduct = default;
            for (var position = 0; position < place.Positions; position++, x += place.Stride, g += place.Stride)
            {
                var gradient = TLanes.Load(g);
                sum = TLanes.Add(sum, gradient);
                rowProduct = TLanes.FusedMultiplyAdd(gradient, TLanes.Subtract(TLanes.Load(x), mean), rowProduct);
            }

            totalSum = TLanes.Add(totalSum, sum);
            totalProduct = TLanes.Add(totalProduct, rowProduct);
        }

        product = totalProduct;
        return totalSum;
    }

    /// <summary>inputGradient = (g - shift - (x - mean) slope) scale.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void WriteInputGradient<TLanes, TVector>(
        nint offset,
        in MicrobatchPlace place,
        TVector mean,
        TVector shift,
        TVector slope,
        TVector scale
    )
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        float* x = input + offset,
            g = outputGradient + offset,
            dx = inputGradient + offset;
        for (var pixel = 0; pixel < place.Pixels; pixel++, x += place.Stride, g += place.Stride, dx += place.Stride)
        {
            var centred = TLanes.Subtract(TLanes.Load(g), shift);
            var minusDifference = TLanes.Subtract(mean, TLanes.Load(x));
            TLanes.Store(TLanes.Multiply(TLanes.FusedMultiplyAdd(minusDifference, slope, centred), scale), dx);
        }
    }
}
