using Distributed.Model;
using Distributed.Random;

namespace Distributed.Shared.Tests.Model;

/// <summary>Activations of some samples, each in the planar order.</summary>
internal sealed record ReferenceBatch(SampleShape Shape, double[][] Rows)
{
    public ReferenceBatch Map(Func<double, double> function) => this with { Rows = [.. Rows.Select(row => Array.ConvertAll(row, value => function(value)))] };
}

/// <summary>One forward pass of a <see cref="ReferenceNetwork"/>, which takes its parameters one layer after the other.</summary>
internal sealed class ReferencePass(double[] weights, int microbatch, bool training)
{
    private readonly int _microbatch = microbatch;
    private int _offset;
    private ulong _dropouts;

    public ReferenceBatch Run(IEnumerable<LayerSpec> layers, ReferenceBatch batch) => layers.Aggregate(batch, (before, layer) => Run(layer, before));

    private ReferenceBatch Run(LayerSpec layer, ReferenceBatch batch) => layer switch
    {
        DenseSpec dense => Dense(dense.Units, batch),
        ActivationSpec activation => batch.Map(value => Apply(activation.Function, value)),
        LeakyReluSpec leaky => batch.Map(value => value > 0 ? value : leaky.Slope * value),
        GeluSpec => batch.Map(value => value * (1 + Erf(value / Math.Sqrt(2))) / 2),
        FlattenSpec => batch with { Shape = new SampleShape(1, 1, batch.Shape.Length) },
        Conv2dSpec convolution => Convolve(convolution, batch),
        GlobalAveragePoolSpec => Pool(new(batch.Shape.Height, batch.Shape.Width, 1, 0, 0), batch, Enumerable.Average),
        DropoutSpec dropout => Dropout(dropout.Rate, batch),
        ResidualSpec residual => Residual(residual, batch),
        _ => throw new ArgumentException($"{layer.Type} {_microbatch}"),
    };

    private Span<double> Take(int length) => weights.AsSpan((_offset += length) - length, length);

    private ReferenceBatch Dense(int units, ReferenceBatch batch)
    {
        int inputs = batch.Shape.Length;
        double[] weight = Take(units * inputs).ToArray(), bias = Take(units).ToArray();
        return new(new SampleShape(1, 1, units), Array.ConvertAll(batch.Rows, row =>
        {
            double[] output = [.. bias];
            for (int i = 0; i < weight.Length; i++)
                output[i / inputs] += weight[i] * row[i % inputs];
            return output;
        }));
    }

    private ReferenceBatch Convolve(Conv2dSpec spec, ReferenceBatch batch)
    {
        ReferenceImages.Window window = new(spec.Kernel.Height, spec.Kernel.Width, spec.Stride, spec.Padding.Height, spec.Padding.Width);
        SampleShape output = window.Output(batch.Shape, spec.Filters);
        double[] weight = Take(spec.Filters * batch.Shape.Channels * spec.Kernel.Height * spec.Kernel.Width).ToArray();
        double[] bias = spec.Bias ? Take(spec.Filters).ToArray() : new double[spec.Filters];
        return new(output, Array.ConvertAll(batch.Rows, row => ReferenceImages.Convolve(row, batch.Shape, window, weight, bias, output)));
    }

    private static ReferenceBatch Pool(ReferenceImages.Window window, ReferenceBatch batch, Func<IEnumerable<double>, double> number)
    {
        SampleShape output = window.Output(batch.Shape, batch.Shape.Channels);
        return new(output, Array.ConvertAll(batch.Rows, row => ReferenceImages.Pool(row, batch.Shape, window, output, number)));
    }

    private ReferenceBatch Residual(ResidualSpec residual, ReferenceBatch batch)
    {
        ReferenceBatch output = Run(residual.Layers, batch);
        ReferenceBatch beside = Run(residual.Shortcut, batch);
        return output with { Rows = [.. output.Rows.Zip(beside.Rows, (f, s) => f.Zip(s, (left, right) => left + right).ToArray())] };
    }

    private ReferenceBatch Dropout(float rate, ReferenceBatch batch)
    {
        ulong layer = _dropouts++;
        if (!training)
            return batch;
        CounterRandom random = new(seed: 3, RandomPurpose.Dropout, (layer << 44) | 1);
        double Factor(int row, int i) => random.UInt32((ulong)((row * batch.Shape.Length) + i)) < rate * 4294967296.0 ? 0 : 1 / (1.0 - rate);
        return batch with { Rows = [.. batch.Rows.Select((values, row) => values.Select((value, i) => value * Factor(row, i)).ToArray())] };
    }

    private static double Apply(Activation function, double x) => function switch
    {
        Activation.Relu => Math.Max(x, 0),
        Activation.Tanh => Math.Tanh(x),
        _ => 1 / (1 + Math.Exp(-x)),
    };

    /// <summary>2/sqrt(pi) exp(-x^2) sum of 2^n x^(2n+1) / (1 3 5 .. (2n+1)): no two terms have different signs.</summary>
    private static double Erf(double x)
    {
        double term = x, sum = x;
        for (int n = 1; n < 200; n++)
            sum += term *= 2 * x * x / ((2 * n) + 1);
        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }
}
