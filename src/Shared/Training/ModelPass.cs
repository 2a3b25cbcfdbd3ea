using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Objectives;

namespace Distributed.Training;

/// <summary>Writes the inputs of consecutive samples.</summary>
/// <param name="first">The first sample.</param>
/// <param name="inputs">[n, input length]: to be overwritten.</param>
internal delegate void InputWriter(int first, Span<float> inputs);

/// <summary>Runs samples through a trained network. The outputs of a sample depend neither on the others nor on the threads.</summary>
internal static class ModelPass
{
    // Below this many multiply-adds or so a thread costs more to start than it brings.
    private const long ParametersWorthAThread = 1 << 22;

    /// <summary>The outputs of samples, a pass at a time.</summary>
    /// <param name="network">The layers.</param>
    /// <param name="objective">What it was trained for.</param>
    /// <param name="weights">The flat vector of parameters.</param>
    /// <param name="count">Number of samples.</param>
    /// <param name="write">Writes the inputs of a pass.</param>
    /// <returns>[rows, output width] of each pass, in order; overwritten by the next.</returns>
    public static IEnumerable<ReadOnlyMemory<float>> Outputs(
        Network network,
        Objective objective,
        ReadOnlyMemory<float> weights,
        int count,
        InputWriter write
    )
    {
        var mostRows = Math.Min(count, NetworkExecutor.RowsInOnePass(network, microbatch: 1));
        if (mostRows == 0)
            yield break;
        using var team = new ComputeTeam((long)count * weights.Length < ParametersWorthAThread ? 1 : Environment.ProcessorCount);
        var executor = new NetworkExecutor(network, objective, microbatch: 1, mostRows, team);
        executor.BindWeights(weights);
        var inputs = new float[mostRows * network.InputLength];
        var outputs = new float[mostRows * network.OutputWidth];
        for (var first = 0; first < count; first += mostRows)
        {
            var rows = Math.Min(mostRows, count - first);
            write(first, inputs.AsSpan(0, rows * network.InputLength));
            executor.Outputs(inputs.AsSpan(0, rows * network.InputLength), outputs.AsSpan(0, rows * network.OutputWidth));
            yield return outputs.AsMemory(0, rows * network.OutputWidth);
        }
    }
}
