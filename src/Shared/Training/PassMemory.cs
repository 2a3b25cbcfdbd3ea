using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Objectives;

namespace Distributed.Training;

/// <summary>What passes through a trained network need, for one caller at a time. A pass allocates nothing.</summary>
internal sealed class PassMemory
{
    private readonly NetworkExecutor _executor;
    private readonly float[] _inputs;
    private readonly float[] _outputs;
    private readonly int _inputLength;
    private readonly int _outputWidth;

    /// <summary>Reserves it.</summary>
    /// <param name="network">The layers.</param>
    /// <param name="objective">What it was trained for.</param>
    /// <param name="weights">The flat vector of parameters.</param>
    /// <param name="mostRows">The most samples of a pass.</param>
    /// <param name="team">The threads; stays the caller's.</param>
    /// <param name="packed">Keeps weights packed; null for passes that do not come again.</param>
    public PassMemory(
        Network network,
        Objective objective,
        ReadOnlyMemory<float> weights,
        int mostRows,
        ComputeTeam team,
        PackedWeights? packed = null
    )
    {
        MostRows = mostRows;
        (_inputLength, _outputWidth) = (network.InputLength, network.OutputWidth);
        _executor = new NetworkExecutor(network, objective, microbatch: 1, mostRows, team, packed);
        _executor.BindWeights(weights);
        _inputs = new float[mostRows * _inputLength];
        _outputs = new float[mostRows * _outputWidth];
        Exponentials = new double[_outputWidth];
    }

    /// <summary>The most samples of a pass.</summary>
    public int MostRows { get; }

    /// <summary>[output width], for whoever turns outputs into probabilities.</summary>
    public double[] Exponentials { get; }

    /// <summary>[rows, input length], to be written before a pass.</summary>
    public Span<float> Inputs(int rows) => _inputs.AsSpan(0, rows * _inputLength);

    /// <summary>Takes the inputs through the network.</summary>
    /// <returns>[rows, output width]; overwritten by the next pass.</returns>
    public ReadOnlyMemory<float> Run(int rows)
    {
        var outputs = _outputs.AsMemory(0, rows * _outputWidth);
        _executor.Outputs(Inputs(rows), outputs.Span);
        return outputs;
    }
}
