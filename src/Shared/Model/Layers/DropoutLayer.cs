using System.Globalization;
using System.Text.Json;
using Distributed.Graphs;
using Distributed.Kernels;
using Distributed.Random;

namespace Distributed.Model.Layers;

/// <summary>
/// In training, sets each activation to zero with the probability of the rate and scales the others by 1 / (1 - rate); nothing in
/// evaluation.
/// </summary>
internal sealed record DropoutSpec : LayerSpec
{
    /// <summary>The highest rate: above it, what is left of a layer would no longer carry a signal.</summary>
    public const float MaximumRate = 0.99f;

    internal const string TypeName = "dropout";

    /// <summary>Creates a layer of the given rate.</summary>
    /// <param name="rate">The part that is dropped, 0 to <see cref="MaximumRate"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rate is out of range.</exception>
    public DropoutSpec(float rate)
    {
        if (!(rate >= 0 && rate <= MaximumRate))
            throw new ArgumentOutOfRangeException(nameof(rate), rate, $"a rate is from 0 to {MaximumRate}");
        Rate = rate;
    }

    /// <summary>The part of the activations that is dropped.</summary>
    public float Rate { get; }

    /// <inheritdoc/>
    public override string Type => TypeName;

    internal static DropoutSpec Read(LayerFields fields) => new(fields.RequireNumber("rate", 0, MaximumRate));

    internal override void WriteProperties(Utf8JsonWriter writer) => writer.WriteNumber("rate", Rate);

    internal override Layer Resolve(SampleShape input) => new DropoutLayer(input, Rate);
}

/// <summary>Inverted dropout.</summary>
/// <param name="input">Shape of one sample.</param>
/// <param name="rate">The part that is dropped.</param>
internal sealed class DropoutLayer(SampleShape input, float rate) : Layer(input, input)
{
    /// <inheritdoc/>
    internal override int RandomStreams => 1;

    /// <inheritdoc/>
    internal override long KeptLength => OutputLength; // the factors

    /// <inheritdoc/>
    internal override string Description => string.Create(CultureInfo.InvariantCulture, $"dropout {rate}");

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new DropoutExecutor(this, rate, options);

    /// <inheritdoc/>
    internal override GraphValue AddTo(IOperatorGraph graph, GraphValue input, ReadOnlySpan<GraphValue> parameters) => input;
}

/// <summary>
/// Runs a <see cref="DropoutLayer"/>. The draw of an element is a function of (seed, layer, step, position of the sample in the global
/// batch, element), so that it does not depend on which worker has the sample or with which others.
/// </summary>
internal sealed class DropoutExecutor(DropoutLayer layer, float rate, ExecutorOptions options) : LayerExecutor(layer)
{
    // Of the 56 bits of a stream: 2^44 steps, and the 2^12 layers above them are more than a model can have.
    private const int StepBits = 44;

    private readonly AlignedBuffer _factors = Reserve(options.MaximumRows, layer.OutputLength);

    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass)
    {
        if (!pass.Training)
        {
            input.CopyTo(output);
            return;
        }

        var factors = _factors.Span[..output.Length];
        CounterRandom random = new(pass.Seed, RandomPurpose.Dropout, ((ulong)options.FirstRandomStream << StepBits) | (ulong)pass.Step);
        Dropout.Factors(random, (ulong)pass.FirstSample * (ulong)OutputLength, rate, factors, options.Team);
        Dropout.Apply(input, factors, output, options.Team);
    }

    /// <inheritdoc/>
    internal override void Backward(in BackwardPass backward)
    {
        var factors = _factors.Span[..backward.OutputGradient.Length];
        Dropout.Apply(backward.OutputGradient, factors, backward.InputGradient, options.Team);
    }
}
