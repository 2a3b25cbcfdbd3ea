using System.Runtime.Intrinsics;
using Distributed.Kernels.Threads;

namespace Distributed.Objectives;

/// <summary>Applies an objective to the outputs of passes, with memory of its own. One thread at a time may use it.</summary>
internal sealed class ObjectiveExecutor
{
    private readonly Objective _objective;
    private readonly int _microbatch;
    private readonly ComputeTeam _team;
    private readonly float[] _floats;

    /// <summary>Reserves the memory for passes of up to a number of rows.</summary>
    internal ObjectiveExecutor(Objective objective, int microbatch, int maximumRows, ComputeTeam team)
    {
        _objective = objective;
        _microbatch = microbatch;
        _team = team;
        _floats = new float[objective.FloatSums * maximumRows];
    }

    /// <summary>The sums of an aligned run of microbatches in training; the outputs are replaced by their gradient.</summary>
    internal BatchSums Train(Span<float> outputs, ReadOnlySpan<int> targets, int rows)
    {
        Span<long> counts = stackalloc long[BatchSums.CountCount];
        counts.Clear();
        _objective.Train(outputs, targets, new SampleTerms(_floats, rows, counts), _team);
        return Sum(rows, counts);
    }

    /// <summary>The sums of an aligned run of microbatches in evaluation.</summary>
    internal BatchSums Evaluate(ReadOnlySpan<float> outputs, ReadOnlySpan<int> targets, int rows)
    {
        Span<long> counts = stackalloc long[BatchSums.CountCount];
        counts.Clear();
        _objective.Evaluate(outputs, targets, new SampleTerms(_floats, rows, counts), _team);
        return Sum(rows, counts);
    }

    private BatchSums Sum(int rows, ReadOnlySpan<long> counts)
    {
        Span<float> sums = stackalloc float[BatchSums.FloatCount];
        sums.Clear();
        for (var i = 0; i < _objective.FloatSums; i++)
            sums[i] = MicrobatchSums.Sum(_floats.AsSpan(i * rows, rows), _microbatch);
        return new(Vector128.Create<float>(sums), Vector256.Create<long>(counts), rows);
    }
}
