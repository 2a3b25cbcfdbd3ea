using System.Numerics;
using Distributed.Kernels;
using Distributed.Kernels.Threads;

namespace Distributed.Model;

/// <summary>
/// Runs a network forward and backward for one replica, whose activations it owns. Nothing is allocated per call. One thread at
/// a time may use it. Results depend on the network, the weights, the samples and the microbatch, never on the team's threads.
/// </summary>
public sealed class NetworkExecutor
{
    // Above this, more rows in one pass make no kernel faster: packing the weights is then below 1 % of the products.
    private const int MostRowsInOnePass = 512;

    // Convolutional networks keep tens of thousands of values a sample from the forward to the backward pass. Up to this, those of a pass
    // find room in a last-level cache of 32 MiB: when cnn kept 100,000, a step took 17.6 ms instead of 19.4 with 64 MiB. Half or a quarter
    // of it makes no difference.
    private const long MostActivationBytesInOnePass = 24 << 20;

    private readonly Network _network;
    private readonly int _microbatch;
    private readonly int _maximumRows;
    private readonly ComputeTeam _team;
    private readonly float _labelSmoothing;
    private readonly SequenceExecutor _layers;
    private readonly AlignedBuffer _logitsGradient;
    private readonly float[] _losses;
    private bool _bound;

    /// <summary>Reserves all memory that calls of up to <paramref name="maximumRows"/> samples need.</summary>
    /// <param name="network">The network.</param>
    /// <param name="microbatch">Samples in a microbatch, at least 1.</param>
    /// <param name="maximumRows">The most samples in one call, at least 1.</param>
    /// <param name="team">The threads; stays the caller's.</param>
    /// <param name="labelSmoothing">The part of each training target that is spread over all classes alike, 0 to below 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 1, or the smoothing is out of range.</exception>
    /// <exception cref="InputException">The activations of one layer do not fit in an array.</exception>
    public NetworkExecutor(Network network, int microbatch, int maximumRows, ComputeTeam team, float labelSmoothing = 0)
    {
        if (!(labelSmoothing >= 0 && labelSmoothing < 1))
            throw new ArgumentOutOfRangeException(nameof(labelSmoothing), labelSmoothing, "a smoothing is at least 0 and below 1");
        ArgumentOutOfRangeException.ThrowIfLessThan(microbatch, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumRows, 1);
        _network = network;
        _microbatch = microbatch;
        _maximumRows = maximumRows;
        _team = team;
        _labelSmoothing = labelSmoothing;
        _layers = new SequenceExecutor(network.Layers, new ExecutorOptions(maximumRows, microbatch, NeedsInputGradient: false, team));
        _logitsGradient = LayerExecutor.Reserve(maximumRows, network.Classes);
        _losses = new float[maximumRows];
    }

    /// <summary>
    /// Rows of a pass that uses the machine well without taking more memory than it must: a power of two of microbatches.
    /// </summary>
    /// <param name="network">The network.</param>
    /// <param name="microbatch">Samples in a microbatch, at least 1.</param>
    public static int RowsInOnePass(Network network, int microbatch)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(microbatch, 1);
        var rows = Math.Min(MostRowsInOnePass, MostActivationBytesInOnePass / (network.ActivationLength * sizeof(float)));
        return microbatch << BitOperations.Log2((uint)Math.Max(1, rows / microbatch));
    }

    /// <summary>Takes new weights; call it once per step, after they have changed.</summary>
    /// <param name="weights">Flat vector of all parameters; must stay as it is until the next call.</param>
    /// <exception cref="ArgumentException">The vector has another length than the layout.</exception>
    public void BindWeights(ReadOnlyMemory<float> weights)
    {
        if (weights.Length != _network.Layout.Length)
            throw new ArgumentException($"{weights.Length} weights, expected {_network.Layout.Length}", nameof(weights));
        _layers.BindWeights(weights);
        _bound = true;
    }

    /// <summary>
    /// Computes loss and gradient of one aligned block of microbatches: chains inside a microbatch, the tree across them. The
    /// sums of neighbouring blocks can be merged further up the tree.
    /// </summary>
    /// <param name="inputs">[rows, input length].</param>
    /// <param name="labels">[rows], each from 0 to below the number of classes.</param>
    /// <param name="pass">The training step, and the position of the block's first sample in the global batch.</param>
    /// <param name="gradient">
    /// [layout length]: the sum, not the mean, over the samples; overwritten. Undefined where the loss is not finite.
    /// </param>
    /// <param name="progress">Is told as layers are completed, unless the loss is not finite; null for nobody.</param>
    /// <exception cref="ArgumentException">
    /// The pass trains nothing, a span has the wrong length, there are no or too many rows, or a label is out of range.
    /// </exception>
    /// <exception cref="InvalidOperationException">No weights are bound.</exception>
    public BatchSums ForwardBackward(
        ReadOnlySpan<float> inputs,
        ReadOnlySpan<int> labels,
        in Pass pass,
        Span<float> gradient,
        IBackwardProgress? progress = null
    )
    {
        if (!pass.Training)
            throw new ArgumentException("a gradient belongs to a training step", nameof(pass));
        if (gradient.Length != _network.Layout.Length)
            throw new ArgumentException($"{gradient.Length} gradients, expected {_network.Layout.Length}", nameof(gradient));
        var rows = labels.Length;
        var logits = ForwardLayers(inputs, rows, pass);
        var logitsGradient = _logitsGradient.Span[..logits.Length];
        logits.CopyTo(logitsGradient);
        var losses = _losses.AsSpan(0, rows);
        var correct = SoftmaxCrossEntropy.ForwardBackward(logitsGradient, labels, _network.Classes, losses, _labelSmoothing, _team);
        var sums = Sums(rows, correct);
        if (float.IsFinite(sums.LossSum))
        {
            _layers.Backward(
                new BackwardPass
                {
                    Input = inputs,
                    Rows = rows,
                    OutputGradient = logitsGradient,
                    ParameterGradient = gradient,
                    Pass = pass,
                    Progress = progress,
                }
            );
        }

        return sums;
    }

    /// <summary>
    /// Computes the loss of one aligned block of microbatches as the model would be used: in evaluation, without smoothing or a gradient.
    /// </summary>
    /// <param name="inputs">[rows, input length].</param>
    /// <param name="labels">[rows], each from 0 to below the number of classes.</param>
    /// <exception cref="ArgumentException">
    /// A span has the wrong length, there are no or too many rows, or a label is out of range.
    /// </exception>
    /// <exception cref="InvalidOperationException">No weights are bound.</exception>
    public BatchSums Forward(ReadOnlySpan<float> inputs, ReadOnlySpan<int> labels)
    {
        var rows = labels.Length;
        var logits = ForwardLayers(inputs, rows, Pass.Evaluation);
        return Sums(rows, SoftmaxCrossEntropy.Forward(logits, labels, _network.Classes, _losses.AsSpan(0, rows), _team));
    }

    /// <summary>Computes the logits, in evaluation.</summary>
    /// <param name="inputs">[rows, input length].</param>
    /// <param name="logits">[rows, classes]; overwritten.</param>
    /// <exception cref="ArgumentException">A span has the wrong length, or there are no or too many rows.</exception>
    /// <exception cref="InvalidOperationException">No weights are bound.</exception>
    public void Logits(ReadOnlySpan<float> inputs, Span<float> logits)
    {
        var rows = logits.Length / _network.Classes;
        if (logits.Length != rows * _network.Classes)
            throw new ArgumentException($"{logits.Length} logits are not rows of {_network.Classes}", nameof(logits));
        ForwardLayers(inputs, rows, Pass.Evaluation).CopyTo(logits);
    }

    /// <summary>Returns the logits, [rows, classes], in the last layer's output.</summary>
    private Span<float> ForwardLayers(ReadOnlySpan<float> inputs, int rows, in Pass pass)
    {
        Check(inputs, rows);
        return _layers.Forward(inputs, rows, pass);
    }

    private BatchSums Sums(int rows, int correct) => new(MicrobatchSums.Sum(_losses.AsSpan(0, rows), _microbatch), correct, rows);

    private void Check(ReadOnlySpan<float> inputs, int rows)
    {
        if (!_bound)
            throw new InvalidOperationException("no weights are bound: call BindWeights first");
        if (rows < 1 || rows > _maximumRows)
            throw new ArgumentException($"{rows} rows, expected 1 to {_maximumRows}", nameof(rows));
        if (inputs.Length != (long)rows * _network.InputLength)
            throw new ArgumentException($"{inputs.Length} inputs are not {rows} rows of {_network.InputLength}", nameof(inputs));
    }
}
