using Distributed.Model;
using Distributed.Model.Layers;
using Distributed.Random;

namespace Distributed.Shared.Tests.Model;

/// <summary>Activations of some samples, each in the planar order.</summary>
internal sealed record ReferenceBatch(SampleShape Shape, double[][] Rows)
{
    public ReferenceBatch Map(Func<double, double> function) =>
        this with
        {
            Rows = [.. Rows.Select(row => Array.ConvertAll(row, value => function(value)))],
        };
}

/// <summary>One forward pass of a <see cref="ReferenceNetwork"/>, which takes its parameters one layer after the other.</summary>
internal sealed class ReferencePass(double[] weights, IReadOnlyList<CategoryColumn> categories, int microbatch, bool training)
{
    private int _offset;
    private ulong _dropouts;

    public ReferenceBatch Run(IEnumerable<LayerSpec> layers, ReferenceBatch batch) =>
        layers.Aggregate(batch, (before, layer) => Run(layer, before));

    private ReferenceBatch Run(LayerSpec layer, ReferenceBatch batch) =>
        layer switch
        {
            DenseSpec dense => Dense(dense.Units, batch),
            ActivationSpec activation => batch.Map(value => Apply(activation.Function, value)),
            LeakyReluSpec leaky => batch.Map(value => value > 0 ? value : leaky.Slope * value),
            GeluSpec => batch.Map(value => value * (1 + Erf(value / Math.Sqrt(2))) / 2),
            FlattenSpec => batch with { Shape = new SampleShape(1, 1, batch.Shape.Length) },
            Conv2dSpec convolution => Convolve(convolution, batch),
            PoolSpec pooling => Pool(WindowOf(pooling), batch, pooling.Kind == PoolKind.Max ? Enumerable.Max : Enumerable.Average),
            GlobalAveragePoolSpec => Pool(new(batch.Shape.Height, batch.Shape.Width, 1, 0, 0), batch, Enumerable.Average),
            BatchNormSpec norm => BatchNorm(norm.Epsilon, batch),
            LayerNormSpec norm => LayerNorm(norm.Epsilon, batch),
            DropoutSpec dropout => Dropout(dropout.Rate, batch),
            ResidualSpec residual => Residual(residual, batch),
            EmbeddingSpec embedding => Embed(embedding, batch),
            PiecewiseSpec piecewise => Encode(piecewise.Edges, batch),
            _ => throw new ArgumentException(layer.Type),
        };

    private Span<double> Take(int length) => weights.AsSpan((_offset += length) - length, length);

    private ReferenceBatch Dense(int units, ReferenceBatch batch)
    {
        var inputs = batch.Shape.Length;
        double[] weight = Take(units * inputs).ToArray(),
            bias = Take(units).ToArray();
        return new(new SampleShape(1, 1, units), Array.ConvertAll(batch.Rows, row =>
            {
                double[] output = [.. bias];
                for (int unit = 0, next = 0; unit < units; unit++)
                {
                    for (var i = 0; i < inputs; i++)
                        output[unit] += weight[next++] * row[i];
                }

                return output;
            }));
    }

    private ReferenceBatch Convolve(Conv2dSpec spec, ReferenceBatch batch)
    {
        ReferenceImages.Window window = new(spec.Kernel.Height, spec.Kernel.Width, spec.Stride, spec.Padding.Height, spec.Padding.Width);
        var output = window.Output(batch.Shape, spec.Filters);
        var weight = Take(spec.Filters * batch.Shape.Channels * spec.Kernel.Height * spec.Kernel.Width).ToArray();
        var bias = spec.Bias ? Take(spec.Filters).ToArray() : new double[spec.Filters];
        return new(output, Array.ConvertAll(batch.Rows, row => ReferenceImages.Convolve(row, batch.Shape, window, weight, bias, output)));
    }

    private static ReferenceImages.Window WindowOf(PoolSpec spec) =>
        spec.Stride.Height == spec.Stride.Width
            ? new(spec.Kernel.Height, spec.Kernel.Width, spec.Stride.Height, spec.Padding.Height, spec.Padding.Width)
            : throw new ArgumentException($"a stride of {spec.Stride}");

    private static ReferenceBatch Pool(ReferenceImages.Window window, ReferenceBatch batch, Func<IEnumerable<double>, double> number)
    {
        var output = window.Output(batch.Shape, batch.Shape.Channels);
        return new(output, Array.ConvertAll(batch.Rows, row => ReferenceImages.Pool(row, batch.Shape, window, output, number)));
    }

    /// <summary>Each channel of each microbatch by its own mean and variance, or by the running ones.</summary>
    private ReferenceBatch BatchNorm(double epsilon, ReferenceBatch batch)
    {
        int channels = batch.Shape is { Channels: 1, Height: 1 } ? batch.Shape.Width : batch.Shape.Channels,
            positions = batch.Shape.Length / channels;
        double[] weight = Take(channels).ToArray(),
            bias = Take(channels).ToArray(),
            mean = Take(channels).ToArray(),
            variance = Take(channels).ToArray();
        return batch with { Rows = [.. batch.Rows.Chunk(microbatch).SelectMany(Normalise)] };

        IEnumerable<double[]> Normalise(double[][] rows)
        {
            for (var c = 0; c < channels && training; c++)
            {
                double[] values = [.. rows.SelectMany(row => row.Skip(c * positions).Take(positions))];
                mean[c] = values.Average();
                variance[c] = values.Average(value => Math.Pow(value - mean[c], 2));
            }

            return [.. rows.Select(row => row.Select((value, i) => Scaled(value, i / positions)).ToArray())];
        }

        double Scaled(double value, int c) => ((value - mean[c]) / Math.Sqrt(variance[c] + epsilon) * weight[c]) + bias[c];
    }

    private ReferenceBatch LayerNorm(double epsilon, ReferenceBatch batch)
    {
        double[] weight = Take(batch.Shape.Length).ToArray(),
            bias = Take(batch.Shape.Length).ToArray();
        return batch with { Rows = Array.ConvertAll(batch.Rows, row =>
            {
                double mean = row.Average(),
                    deviation = Math.Sqrt(row.Average(value => Math.Pow(value - mean, 2)) + epsilon);
                return row.Select((value, i) => ((value - mean) / deviation * weight[i]) + bias[i]).ToArray();
            }) };
    }

    /// <summary>The numbers, and the row of each table that the id at its place names.</summary>
    private ReferenceBatch Embed(EmbeddingSpec spec, ReferenceBatch batch)
    {
        var numbers = batch.Shape.Length - categories.Count;
        var tables = categories
            .Select((column, i) => Take(column.Size * spec.Dimensions![i]).ToArray().Chunk(spec.Dimensions![i]).ToArray())
            .ToArray();
        return OfRows(batch.Rows.Select(row => row.Take(numbers).Concat(tables.SelectMany((table, i) => table[(int)row[numbers + i]]))));
    }

    /// <summary>For each bin, 0, 1, or how far the number has come in it; the first has no end below, and the last none above.</summary>
    private static ReferenceBatch Encode(IReadOnlyList<IReadOnlyList<float>> edges, ReferenceBatch batch)
    {
        return OfRows(batch.Rows.Select(row => edges.SelectMany((column, i) => Bins(column, row[i])).Concat(row.Skip(edges.Count))));

        static IEnumerable<double> Bins(IReadOnlyList<float> edges, double x) =>
            Enumerable
                .Range(1, edges.Count - 1)
                .Select(bin =>
                    bin > 1 && x < edges[bin - 1] ? 0
                    : bin < edges.Count - 1 && x >= edges[bin] ? 1
                    : (x - edges[bin - 1]) / ((double)edges[bin] - edges[bin - 1])
                );
    }

    private static ReferenceBatch OfRows(IEnumerable<IEnumerable<double>> rows)
    {
        double[][] all = [.. rows.Select(row => row.ToArray())];
        return new(new SampleShape(1, 1, all[0].Length), all);
    }

    private ReferenceBatch Residual(ResidualSpec residual, ReferenceBatch batch)
    {
        var output = Run(residual.Layers, batch);
        var beside = Run(residual.Shortcut, batch);
        return output with { Rows = [.. output.Rows.Zip(beside.Rows, (f, s) => f.Zip(s, (left, right) => left + right).ToArray())] };
    }

    private ReferenceBatch Dropout(float rate, ReferenceBatch batch)
    {
        var layer = _dropouts++;
        if (!training)
            return batch;
        CounterRandom random = new(seed: 3, RandomPurpose.Dropout, (layer << 44) | 1);
        double Factor(int row, int i) =>
            random.UInt32((ulong)((row * batch.Shape.Length) + i)) < rate * 4294967296.0 ? 0 : 1 / (1.0 - rate);
        return batch with { Rows = [.. batch.Rows.Select((values, row) => values.Select((value, i) => value * Factor(row, i)).ToArray())] };
    }

    private static double Apply(Activation function, double x) =>
        function switch
        {
            Activation.Relu => Math.Max(x, 0),
            Activation.Tanh => Math.Tanh(x),
            _ => 1 / (1 + Math.Exp(-x)),
        };

    /// <summary>2/sqrt(pi) exp(-x^2) sum of 2^n x^(2n+1) / (1 3 5 .. (2n+1)): no two terms have different signs.</summary>
    private static double Erf(double x)
    {
        double term = x,
            sum = x;
        for (var n = 1; n < 200; n++)
            sum += term *= 2 * x * x / ((2 * n) + 1);
        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }
}
