using System.Globalization;
using System.Text.Json;
using Distributed.Graphs;
using Distributed.Kernels;
using Distributed.Kernels.Products;

namespace Distributed.Model.Layers;

/// <summary>A dense (fully connected) layer with a bias; an input of any shape is taken as one vector.</summary>
internal sealed record DenseSpec : LayerSpec
{
    /// <summary>The most units a layer can have.</summary>
    public const int MaximumUnits = 1 << 20;

    internal const string TypeName = "dense";

    /// <summary>Creates a layer of the given width.</summary>
    /// <param name="units">Number of outputs, 1 to <see cref="MaximumUnits"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is out of range.</exception>
    public DenseSpec(int units)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(units, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(units, MaximumUnits);
        Units = units;
    }

    /// <summary>Number of outputs.</summary>
    public int Units { get; }

    /// <inheritdoc/>
    public override string Type => TypeName;

    internal static DenseSpec Read(LayerFields fields) => new(fields.RequireInteger("units", 1, MaximumUnits));

    internal override void WriteProperties(Utf8JsonWriter writer) => writer.WriteNumber("units", Units);

    internal override Layer Resolve(SampleShape input) => new DenseLayer(input, Units, Activation.None);
}

/// <summary>A dense layer, y = activation(x . W^T + b), with W in PyTorch's layout [out, in].</summary>
internal sealed class DenseLayer : Layer
{
    private readonly Activation _activation;

    /// <summary>Settles the sizes.</summary>
    /// <param name="input">Shape of one sample, taken as one vector.</param>
    /// <param name="units">Number of outputs.</param>
    /// <param name="activation">Applied to the output in the same pass as the bias.</param>
    internal DenseLayer(SampleShape input, int units, Activation activation)
        : base(input, new SampleShape(1, 1, units))
    {
        _activation = activation;
        var bound = WeightInitialization.Bound(activation, InputLength, units);
        Parameters = [new("weight", [units, InputLength], InitialValues.Uniform(bound)), new("bias", [units], InitialValues.Constant(0))];
    }

    /// <inheritdoc/>
    internal override IReadOnlyList<LayerParameter> Parameters { get; }

    /// <inheritdoc/>
    internal override ElementOrder Order => ElementOrder.Planar;

    /// <inheritdoc/>
    internal override Activation LastActivation => _activation;

    /// <inheritdoc/>
    internal override bool BackwardReadsOutput => _activation != Activation.None;

    /// <inheritdoc/>
    internal override string Description
    {
        get
        {
            var dense = string.Create(CultureInfo.InvariantCulture, $"dense {OutputLength}");
            return _activation == Activation.None ? dense : $"{dense}, {ActivationSpec.NameOf(_activation)}";
        }
    }

    /// <inheritdoc/>
    internal override Layer? WithActivation(Activation activation) =>
        _activation == Activation.None ? new DenseLayer(Input, OutputLength, activation) : null;

    /// <inheritdoc/>
    internal override bool FusesGradientOf(Activation activation) => activation != Activation.None;

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new DenseExecutor(this, _activation, options);

    /// <inheritdoc/>
    internal override GraphValue AddTo(IOperatorGraph graph, GraphValue input, ReadOnlySpan<GraphValue> parameters)
    {
        var product = graph.Add("Gemm", [graph.AsVector(input), .. parameters], GraphAttribute.Of("transB", 1));
        return ActivationFunctions.AddTo(graph, _activation, product);
    }
}

/// <summary>Runs a <see cref="DenseLayer"/>: Y = activation(X . W^T + b).</summary>
/// <remarks>With G the gradient with respect to X . W^T + b: dW = G^T . X, db = the column sums of G, dX = G . W.</remarks>
internal sealed class DenseExecutor : LayerExecutor
{
    /// <summary>
    /// Elements of weights whose gradient, where it ends the backward pass, is completed in two halves: exchange and update of the first
    /// then hide behind the products of the second. A step of mlp:2048,2048 on two threads takes 1 % less time; below 4 MiB packing twice
    /// costs as much.
    /// </summary>
    private const int ElementsInHalves = 1024 * 1024;

    private readonly Activation _activation;
    private readonly ExecutorOptions _options;
    private readonly int _inputs;
    private readonly int _weightLength;
    private ReadOnlyMemory<float> _weight; // [out, in]
    private ReadOnlyMemory<float> _bias; // [out]
    private AlignedBuffer? _packed; // the weights as products read them, where they are kept

    /// <summary>Remembers the sizes.</summary>
    internal DenseExecutor(DenseLayer layer, Activation activation, ExecutorOptions options)
        : base(layer)
    {
        _activation = activation;
        _options = options;
        _inputs = layer.InputLength;
        _weightLength = _inputs * OutputLength;
    }

    /// <inheritdoc/>
    internal override void BindWeights(ReadOnlyMemory<float> parameters)
    {
        _weight = parameters[.._weightLength];
        _bias = parameters[_weightLength..];
        _packed = _options.Packed?.Of(_weight, _inputs, OutputLength);
    }

    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass)
    {
        var epilogue = ActivationFunctions.BiasEpilogue(_activation, _bias.Span);
        if (_packed is null)
            MatrixProduct.MultiplyTransposed(input, rows, _weight.Span, _inputs, OutputLength, output, _options.Team, epilogue);
        else
            MatrixProduct.MultiplyPacked(input, rows, _packed.Span, _inputs, OutputLength, output, _options.Team, epilogue);
    }

    /// <inheritdoc/>
    internal override void Backward(in BackwardPass backward)
    {
        var (rows, team) = (backward.Rows, _options.Team);
        var outputGradient = backward.OutputGradient;
        if (!_options.NextFusesGradient)
            ActivationFunctions.ApplyGradient(_activation, backward.Output, outputGradient, team);
        var biasGradient = backward.ParameterGradient[_weightLength..];
        ColumnSums.Compute(outputGradient, OutputLength, rows, _options.Microbatch, biasGradient, team);
        var half = !_options.NeedsInputGradient && _weightLength >= ElementsInHalves ? OutputLength / 2 : 0;
        WeightGradient(half..OutputLength, backward);
        if (half > 0)
            WeightGradient(0..half, backward);
        if (!_options.NeedsInputGradient)
            return;
        var epilogue = ActivationFunctions.GradientEpilogue(_options.FusedGradient, backward.Input);
        MatrixProduct.Multiply(outputGradient, rows, _weight.Span, OutputLength, _inputs, backward.InputGradient, team, epilogue);
    }

    /// <summary>The gradient of the weights of some outputs, which is then complete from there on.</summary>
    private void WeightGradient(Range outputs, in BackwardPass backward)
    {
        var (first, end) = (outputs.Start.Value * _inputs, outputs.End.Value * _inputs);
        MatrixProduct.TransposedProductRows(
            backward.OutputGradient,
            OutputLength,
            outputs,
            backward.Input,
            _inputs,
            backward.Rows,
            _options.Microbatch,
            backward.ParameterGradient[first..end],
            _options.Team
        );
        backward.Progress?.CompletedFrom(first);
    }
}
