using System.Runtime.CompilerServices;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Normalization;

/// <summary>Normalises by the microbatch's own statistics, which it leaves in <c>statistics</c>.</summary>
internal readonly unsafe struct BatchNormalizationForward(
    float* input,
    BatchNormalizationShape shape,
    float* weight,
    float* bias,
    float epsilon,
    float* statistics,
    float* output
) : IChannelKernel
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Apply<TLanes, TVector>(int microbatch, int channel)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var place = new MicrobatchPlace(shape, microbatch);
        var x = input + place.Offset + channel;
        var count = TLanes.Broadcast(place.Pixels);
        var mean = TLanes.Divide(Sum<TLanes, TVector>(x, place), count);
        var variance = TLanes.Divide(SumOfSquares<TLanes, TVector>(x, mean, place), count);
        var inverse = BatchNormalizationEvaluation.InverseDeviation<TLanes, TVector>(variance, epsilon);
        var statistic = statistics + ((nint)microbatch * BatchNormalizationShape.Statistics * shape.Channels) + channel;
        TLanes.Store(mean, statistic);
        TLanes.Store(variance, statistic + shape.Channels);
        TLanes.Store(inverse, statistic + (2 * shape.Channels));
        var scale = TLanes.Multiply(TLanes.Load(weight + channel), inverse);
        BatchNormalizationEvaluation.Normalise<TLanes, TVector>(
            x,
            place,
            mean,
            scale,
            TLanes.Load(bias + channel),
            output + place.Offset + channel
        );
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Sum<TLanes, TVector>(float* x, in MicrobatchPlace place)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        TVector total = default;
        for (var row = 0; row < place.Rows; row++)
        {
            TVector sum = default;
            for (var position = 0; position < place.Positions; position++, x += place.Stride)
                sum = TLanes.Add(sum, TLanes.Load(x));
            total = TLanes.Add(total, sum);
        }

        return total;
    }

    /// <summary>The sum of (x - mean)^2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector SumOfSquares<TLanes, TVector>(float* x, TVector mean, in MicrobatchPlace place)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        TVector total = default;
        for (var row = 0; row < place.Rows; row++)
        {
            TVector sum = default;
            for (var position = 0; position < place.Positions; position++, x += place.Stride)
            {
                var difference = TLanes.Subtract(TLanes.Load(x), mean);
                sum = TLanes.FusedMultiplyAdd(difference, difference, sum);
            }

            total = TLanes.Add(total, sum);
        }

        return total;
    }
}

/// <summary>Normalises by given statistics. Parameters are [4, channels]: weight, bias, mean, variance.</summary>
internal readonly unsafe struct BatchNormalizationEvaluation(
    float* input,
    BatchNormalizationShape shape,
    float* parameters,
    float epsilon,
    float* output
) : IChannelKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Apply<TLanes, TVector>(int microbatch, int channel)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var place = new MicrobatchPlace(shape, microbatch);
        var parameter = parameters + channel;
        TVector bias = TLanes.Load(parameter + shape.Channels),
            mean = TLanes.Load(parameter + (2 * shape.Channels));
        var inverse = InverseDeviation<TLanes, TVector>(TLanes.Load(parameter + (3 * shape.Channels)), epsilon);
        var scale = TLanes.Multiply(TLanes.Load(parameter), inverse);
        Normalise<TLanes, TVector>(input + place.Offset + channel, place, mean, scale, bias, output + place.Offset + channel);
    }

    /// <summary>1 / sqrt(variance + epsilon).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector InverseDeviation<TLanes, TVector>(TVector variance, float epsilon)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged =>
        TLanes.Divide(TLanes.Broadcast(1f), TLanes.SquareRoot(TLanes.Add(variance, TLanes.Broadcast(epsilon))));

    /// <summary>y = (x - mean) scale + bias.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Normalise<TLanes, TVector>(float* x, in MicrobatchPlace place, TVector mean, TVector scale, TVector bias, float* y)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        for (var pixel = 0; pixel < place.Pixels; pixel++, x += place.Stride, y += place.Stride)
            TLanes.Store(TLanes.FusedMultiplyAdd(TLanes.Subtract(TLanes.Load(x), mean), scale, bias), y);
    }
}
