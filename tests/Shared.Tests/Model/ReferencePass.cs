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
        Conv2dSpec convolution => Convolve(convolution, batch),
        ActivationSpec activation => batch.Map(value => Apply(activation.Function, value)),
        FlattenSpec => batch with { Shape = new SampleShape(1, 1, batch.Shape.Length) },
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

    private ReferenceBatch Convolve(Conv2dSpec layer, ReferenceBatch batch)
    {
        (SampleShape input, ConvExtent kernel) = (batch.Shape, layer.Kernel);
        double[] weight = Take(layer.Filters * input.Channels * kernel.Height * kernel.Width).ToArray(), bias = Take(layer.Bias ? layer.Filters : 0).ToArray();
        SampleShape output = layer.Resolve(input).Output;
        return new(output, Array.ConvertAll(batch.Rows, row => Enumerable.Range(0, output.Length).Select(i => Sum(row, i)).ToArray()));

        double Sum(double[] row, int i)
        {
            (int filter, int y, int x) = (i / (output.Height * output.Width), i / output.Width % output.Height, i % output.Width);
            double sum = layer.Bias ? bias[filter] : 0;
            for (int w = 0; w < weight.Length / layer.Filters; w++)
            {
                int atY = (y * layer.Stride) + (w / kernel.Width % kernel.Height) - layer.Padding.Height, atX = (x * layer.Stride) + (w % kernel.Width) - layer.Padding.Width;
                if (atY >= 0 && atY < input.Height && atX >= 0 && atX < input.Width)
                    sum += weight[(filter * weight.Length / layer.Filters) + w] * row[(((w / (kernel.Height * kernel.Width) * input.Height) + atY) * input.Width) + atX];
            }

            return sum;
        }
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
}
