using System.Globalization;
using Distributed.Kernels;
using Distributed.Kernels.Convolutions;
using Distributed.Kernels.Threads;

namespace Distributed.Benchmarks;

/// <summary>The three passes of convolutions on one core, beside PyTorch on one thread and the core's measured peak.</summary>
internal sealed class ConvolutionBenchmark : IDisposable
{
    private const int Rounds = 9;
    private const int Batch = 128;
    private const int Microbatch = 32;
    private const int Kernel = 3;
    private const int Padding = 1;

    /// <summary>Height and width, channels, filters, stride: the layers of the presets cnn and, from the third on, resnet8.</summary>
    private static readonly (int Size, int Channels, int Filters, int Stride)[] Layers =
    [
        (28, 1, 32, 1),
        (14, 32, 64, 1),
        (28, 16, 16, 1),
        (28, 16, 32, 2),
        (14, 32, 32, 1),
        (7, 64, 64, 1),
    ];

    private readonly ComputeTeam _team = new(1);
    private readonly Measurement _peakSeconds = new();
    private readonly Case[] _cases;

    private ConvolutionBenchmark() => _cases = [.. Layers.SelectMany(Cases)];

    /// <summary>Measures in turn, ours and the peer's, several rounds over, and prints a table of medians.</summary>
    public static void Run()
    {
        using var peak = Peer.OfC("fma_peak.c", []);
        using var torch = Peer.OfPython("pytorch_conv.py");
        using var wide = Peer.CanBeWide ? Peer.OfPython("pytorch_conv.py", ("OPENBLAS_CORETYPE", "SkylakeX")) : null;
        using var benchmark = new ConvolutionBenchmark();
        for (var round = 0; round < Rounds; round++)
            benchmark.MeasureRound(peak, torch, wide);
        benchmark.Print();
    }

    public void Dispose() => _team.Dispose();

    private IEnumerable<Case> Cases((int Size, int Channels, int Filters, int Stride) layer)
    {
        var shape = new ConvolutionShape(
            layer.Size,
            layer.Size,
            layer.Channels,
            layer.Filters,
            Kernel,
            Kernel,
            layer.Stride,
            Padding,
            Padding
        );
        var convolution = new Convolution(shape, Batch, Microbatch, inputGradient: true);
        (var input, var output) = (Products.Values(Batch * shape.InputLength), Products.Values(Batch * shape.OutputLength));
        (var weights, var bias) = (Products.Values(shape.WeightLength), Products.Values(shape.Filters));
        (AlignedBuffer result, AlignedBuffer inputGradient) = (new(output.Length), new(input.Length));
        (AlignedBuffer weightGradient, AlignedBuffer biasGradient) = (new(weights.Length), new(bias.Length));
        convolution.BindWeights(weights.Span, bias.Span, _team);
        yield return new("forward", shape, () => convolution.Forward<ReluActivation>(input.Span, Batch, result.Span, _team));
        if (shape.Channels > 1)
            yield return new("input", shape, () => convolution.InputGradient(output.Span, Batch, inputGradient.Span, _team));
        yield return new("weight", shape, () =>
            convolution.ParameterGradient(input.Span, output.Span, Batch, weightGradient.Span, biasGradient.Span, _team)
        );
    }

    private void MeasureRound(Peer? peak, Peer? torch, Peer? wide)
    {
        foreach (var row in _cases)
        {
            _peakSeconds.AddFrom(peak, "");
            row.Torch.AddFrom(torch, row.Request);
            row.Wide.AddFrom(wide, row.Request);
            row.Ours.Add(Measurement.Time(row.Compute));
        }
    }

    private void Print()
    {
        var peak = 2 / _peakSeconds.Median; // seconds are those of 10^9 multiply-adds
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"One core, batch {Batch}, microbatches of {Microbatch}, kernels of {Kernel}x{Kernel} padded by {Padding}; peak {peak:F1} GFLOP/s; medians of {Rounds} interleaved rounds ± half the interquartile range."
            )
        );
        Console.WriteLine(
            "Multiply-adds with padding are not counted. forward: with bias and ReLU; weight: with bias and tree. wide: PyTorch with OPENBLAS_CORETYPE=SkylakeX."
        );
        Console.WriteLine();
        Console.WriteLine("| layer | pass | ms | GFLOP/s | of peak | PyTorch, ms | ours / PyTorch | ours / wide |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        foreach (var row in _cases)
            Console.WriteLine(row.Text(peak));
    }

    /// <summary>One pass of one layer with its timings, all in seconds.</summary>
    private sealed record Case(string Form, ConvolutionShape Shape, Action Compute)
    {
        public Measurement Ours { get; } = new();

        public Measurement Torch { get; } = new();

        public Measurement Wide { get; } = new();

        public string Request =>
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Form} {Batch} {Shape.Height} {Shape.Width} {Shape.Channels} {Shape.Filters} {Kernel} {Shape.Stride} {Padding}"
            );

        public string Text(double peak)
        {
            var rate = 2e-9 * Batch * MultiplyAdds.OfConvolution(Shape) / Ours.Median;
            return string.Create(
                CultureInfo.InvariantCulture,
                $"| {Shape.Height}x{Shape.Width}x{Shape.Channels} -> {Shape.Filters} / {Shape.Stride} | {Form} | {1000 * Ours.Median:F2} | {rate:F1} | {rate / peak:P0} | {1000 * Torch.Median:F2} | {Torch.Over(Ours).AsRatio} | {Wide.Over(Ours).AsRatio} |"
            );
        }
    }
}
