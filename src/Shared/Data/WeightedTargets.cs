namespace Distributed.Data;

/// <summary>Targets with what each sample counts for in training, as a <see cref="SampleSet"/> holds them.</summary>
internal static class WeightedTargets
{
    /// <summary>[rows, width + 1], the targets of each row with the bits of its weight behind them.</summary>
    /// <param name="targets">[rows, width].</param>
    /// <param name="weights">[rows], finite and at least 0.</param>
    /// <param name="width">Words of a target.</param>
    public static int[] Join(ReadOnlySpan<int> targets, ReadOnlySpan<float> weights, int width)
    {
        var joined = new int[checked(weights.Length * (width + 1))];
        for (var row = 0; row < weights.Length; row++)
        {
            targets.Slice(row * width, width).CopyTo(joined.AsSpan(row * (width + 1)));
            joined[(row * (width + 1)) + width] = BitConverter.SingleToInt32Bits(weights[row]);
        }

        return joined;
    }
}
