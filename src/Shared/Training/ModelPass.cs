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
        using var team = new ComputeTeam(IsWorthThreads(count, weights.Length) ? Environment.ProcessorCount : 1);
        foreach (var outputs in Outputs(new PassMemory(network, objective, weights, mostRows, team), count, write))
            yield return outputs;
    }

    /// <summary>The outputs of samples, a pass at a time, in memory that is there.</summary>
    /// <param name="memory">The memory.</param>
    /// <param name="count">Number of samples.</param>
    /// <param name="write">Writes the inputs of a pass.</param>
    /// <returns>[rows, output width] of each pass, in order; overwritten by the next.</returns>
    public static IEnumerable<ReadOnlyMemory<float>> Outputs(PassMemory memory, int count, InputWriter write)
    {
        for (var first = 0; first < count; first += memory.MostRows)
        {
            var rows = Math.Min(memory.MostRows, count - first);
            write(first, memory.Inputs(rows));
            yield return memory.Run(rows);
        }
    }

    /// <summary>Whether samples are so many that several threads predict them sooner than one.</summary>
    /// <param name="count">Number of samples.</param>
    /// <param name="parameters">Number of parameters.</param>
    public static bool IsWorthThreads(int count, int parameters) => (long)count * parameters >= ParametersWorthAThread;
}
