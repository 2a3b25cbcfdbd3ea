using Distributed.Kernels;
using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Objectives;
using Distributed.Random;

namespace Distributed.Shared.Tests.Model;

/// <summary>A small network with weights, biases away from zero, and random samples for it.</summary>
internal sealed class SmallProblem
{
    public SmallProblem(string layers, int features, int classes, int rows)
        : this(layers, new SampleShape(1, 1, features), classes, rows) { }

    public SmallProblem(string layers, InputColumns columns, int classes, int rows)
    {
        Spec = ModelSpec.FromJson($$"""{"layers":[{{layers}}]}""", "test");
        Network = new Network(Spec, columns, classes);
        Weights = new float[Network.Layout.Length];
        Network.InitializeWeights(seed: 7, Weights);
        CounterRandom random = new(7, RandomPurpose.Augmentation, 0);
        foreach (var bias in Network.Layout.Parameters.Where(parameter => parameter.Shape.Count == 1 && parameter.RunningMomentum is null))
        {
            Fill(random, Weights.AsSpan(bias.Offset, bias.Length), bias.Offset);
        }

        Inputs = new float[rows * columns.Shape.Length];
        Fill(random, Inputs, 1_000_000);
        for (var i = 0; i < Inputs.Length; i++)
        {
            var id = (i % columns.Shape.Length) - columns.NumberCount;
            if (id >= 0)
                Inputs[i] = random.Below((ulong)(3_000_000 + i), (uint)columns.Categories[id].Size);
        }

        Labels = [.. Enumerable.Range(0, rows).Select(row => (int)random.Below((ulong)(2_000_000 + row), (uint)classes))];
    }

    public ModelSpec Spec { get; }

    public Network Network { get; }

    public Objective Objective => new Classification(Network.OutputWidth);

    public float[] Weights { get; }

    public float[] Inputs { get; }

    public int[] Labels { get; }

    /// <summary>Layers of the given sizes, each followed by the function, as a model file has them.</summary>
    public static string Layers(string activation, params int[] sizes) =>
        string.Join(',', sizes.Select(size => $$"""{"type":"dense","units":{{size}}},{"type":"{{activation}}"}"""));

    /// <summary>Sums and gradient of the rows [start, end), in an executor of their own.</summary>
    public (BatchSums Sums, float[] Gradient) Run(int microbatch, ComputeTeam team, int start = 0, int? end = null)
    {
        var stop = end ?? Labels.Length;
        NetworkExecutor executor = new(Network, Objective, microbatch, stop - start, team);
        executor.BindWeights(Weights);
        var gradient = new float[Network.Layout.Length];
        Array.Fill(gradient, float.NaN); // whatever is there must be overwritten
        var sums = executor.ForwardBackward(
            Rows(start, stop),
            Labels.AsSpan(start, stop - start),
            Pass.OfStep(seed: 3, step: 1, start),
            gradient
        );
        return (sums, gradient);
    }

    /// <summary>
    /// The whole in blocks of a power of two of microbatches, each in an executor of its own, merged along the upper part of the tree.
    /// </summary>
    public (BatchSums Sums, float[] Gradient) RunInBlocks(int microbatch, int blockMicrobatches, ComputeTeam team)
    {
        var blockRows = microbatch * blockMicrobatches;
        List<(BatchSums Sums, float[] Gradient)> level = [];
        for (var start = 0; start < Labels.Length; start += blockRows)
            level.Add(Run(microbatch, team, start, Math.Min(Labels.Length, start + blockRows)));
        while (level.Count > 1)
            level = [.. level.Chunk(2).Select(pair => pair.Length == 2 ? Merge(pair[0], pair[1]) : pair[0])];
        return level[0];
    }

    public ReadOnlySpan<float> Rows(int start, int end) => Inputs.AsSpan(start * Network.InputLength, (end - start) * Network.InputLength);

    private static (BatchSums Sums, float[] Gradient) Merge(
        (BatchSums Sums, float[] Gradient) left,
        (BatchSums Sums, float[] Gradient) right
    )
    {
        var sum = new float[left.Gradient.Length];
        ReductionKernels.Add(left.Gradient, right.Gradient, sum);
        return (BatchSums.Merge(left.Sums, right.Sums), sum);
    }

    private static void Fill(CounterRandom random, Span<float> values, int firstIndex)
    {
        for (var i = 0; i < values.Length; i++)
            values[i] = (2 * random.Uniform((ulong)(firstIndex + i))) - 1;
    }
}
