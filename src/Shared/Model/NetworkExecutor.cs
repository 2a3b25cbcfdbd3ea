using System.Numerics;
using Distributed.Kernels;
using Distributed.Kernels.Threads;
using Distributed.Objectives;

namespace Distributed.Model;

/// <summary>
/// Runs a network forward and backward for one replica, whose activations it owns. Nothing is allocated per call. One thread at
/// a time may use it. Results depend on the network, the weights, the samples and the microbatch, never on the team's threads.
/// </summary>
internal sealed class NetworkExecutor
{
    // Above this, more rows in one pass make no kernel faster: packing the weights is then below 1 % of the products.
    private const int MostRowsInOnePass = 512;

    // Convolutional networks keep tens of thousands of values a sample from the forward to the backward pass. Up to this, those of a pass
    // find room in a last-level cache of 32 MiB: when cnn kept 100,000, a step took 17.6 ms instead of 19.4 with 64 MiB. Half or a quarter
    // of it makes no difference.
    private const long MostActivationBytesInOnePass = 24 << 20;

    private readonly Network _network;
    private readonly int _maximumRows;
    private readonly Objective _objective;
    private readonly ObjectiveExecutor _loss;
    private readonly SequenceExecutor _layers;
    private readonly AlignedBuffer _outputsGradient;
    private bool _bound;

    /// <summary>Reserves all memory that calls of up to <paramref name="maximumRows"/> samples need.</summary>
    /// <param name="network">The network.</param>
    /// <param name="objective">What its outputs are compared with.</param>
    /// <param name="microbatch">Samples in a microbatch, at least 1.</param>
    /// <param name="maximumRows">The most samples in one call, at least 1.</param>
    /// <param name="team">The threads; stays the caller's.</param>
    /// <param name="packed">Keeps weights packed from one pass to the next; null where they change.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 1.</exception>
    /// <exception cref="ArgumentException">The objective is for another output width.</exception>
    /// <exception cref="InputException">The activations of one layer do not fit in an array.</exception>
    public NetworkExecutor(
        Network network,
        Objective objective,
        int microbatch,
        int maximumRows,
        ComputeTeam team,
        PackedWeights? packed = null
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(microbatch, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumRows, 1);
        if (objective.OutputWidth != network.OutputWidth)
            throw new ArgumentException($"for {objective.OutputWidth} outputs, not {network.OutputWidth}", nameof(objective));
        _network = network;
        _maximumRows = maximumRows;
        _objective = objective;
        _loss = new ObjectiveExecutor(objective, microbatch, maximumRows, team);
        ExecutorOptions options = new(maximumRows, microbatch, NeedsInputGradient: false, team, Packed: packed);
        _layers = new SequenceExecutor(network.Layers, options);
        _outputsGradient = LayerExecutor.Reserve(maximumRows, network.OutputWidth);
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
    /// Computes loss and gradient of one node of the reduction tree: chains inside a microbatch, the tree across them. The
    /// sums of neighbouring nodes can be merged further up the tree.
    /// </summary>
    /// <param name="inputs">[rows, input length].</param>
    /// <param name="targets">[rows, <see cref="Objective.TargetWidth"/>].</param>
    /// <param name="pass">The training step, and the position of the node's first sample in the global batch.</param>
    /// <param name="gradient">
    /// [layout length]: the sum, not the mean, over the samples; overwritten. Undefined where the loss is not finite.
    /// </param>
    /// <param name="progress">Notified as layers are completed, unless the loss is not finite; or null.</param>
    /// <exception cref="ArgumentException">
    /// The pass trains nothing, a span has the wrong length, there are no or too many rows, or a target is out of range.
    /// </exception>
    /// <exception cref="InvalidOperationException">No weights are bound.</exception>
    public BatchSums ForwardBackward(
        ReadOnlySpan<float> inputs,
        ReadOnlySpan<int> targets,
        in Pass pass,
        Span<float> gradient,
        IBackwardProgress? progress = null
    )
    {
        if (!pass.Training)
            throw new ArgumentException("a gradient belongs to a training step", nameof(pass));
        if (gradient.Length != _network.Layout.Length)
            throw new ArgumentException($"{gradient.Length} gradients, expected {_network.Layout.Length}", nameof(gradient));
        var rows = Rows(targets);
        var outputs = ForwardLayers(inputs, rows, pass);
        var outputsGradient = _outputsGradient.Span[..outputs.Length];
        outputs.CopyTo(outputsGradient);
        var sums = _loss.Train(outputsGradient, targets, rows);
        if (float.IsFinite(sums.Loss))
        {
            _layers.Backward(
                new BackwardPass
                {
                    Input = inputs,
                    Rows = rows,
                    OutputGradient = outputsGradient,
                    ParameterGradient = gradient,
                    Pass = pass,
                    Progress = progress,
                }
            );
        }

        return sums;
    }

    /// <summary>
    /// Computes the loss of one node of the reduction tree as the model would be used: in evaluation, without a gradient.
    /// </summary>
    /// <param name="inputs">[rows, input length].</param>
    /// <param name="targets">[rows, <see cref="Objective.TargetWidth"/>].</param>
    /// <exception cref="ArgumentException">
    /// A span has the wrong length, there are no or too many rows, or a target is out of range.
    /// </exception>
    /// <exception cref="InvalidOperationException">No weights are bound.</exception>
    public BatchSums Forward(ReadOnlySpan<float> inputs, ReadOnlySpan<int> targets)
    {
        var rows = Rows(targets);
        return _loss.Evaluate(ForwardLayers(inputs, rows, Pass.Evaluation), targets, rows);
    }

    /// <summary>Computes the outputs, in evaluation.</summary>
    /// <param name="inputs">[rows, input length].</param>
    /// <param name="outputs">[rows, output width]; overwritten.</param>
    /// <exception cref="ArgumentException">A span has the wrong length, or there are no or too many rows.</exception>
    /// <exception cref="InvalidOperationException">No weights are bound.</exception>
    public void Outputs(ReadOnlySpan<float> inputs, Span<float> outputs)
    {
        var rows = outputs.Length / _network.OutputWidth;
        if (outputs.Length != rows * _network.OutputWidth)
            throw new ArgumentException($"{outputs.Length} outputs are not rows of {_network.OutputWidth}", nameof(outputs));
        ForwardLayers(inputs, rows, Pass.Evaluation).CopyTo(outputs);
    }

    /// <summary>Returns the outputs, [rows, output width], in the last layer's memory.</summary>
    private Span<float> ForwardLayers(ReadOnlySpan<float> inputs, int rows, in Pass pass)
    {
        Check(inputs, rows);
        return _layers.Forward(inputs, rows, pass);
    }

    private int Rows(ReadOnlySpan<int> targets)
    {
        var (rows, rest) = int.DivRem(targets.Length, _objective.TargetWidth);
        return rest == 0
            ? rows
            : throw new ArgumentException($"{targets.Length} words are not targets of {_objective.TargetWidth}", nameof(targets));
    }

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
