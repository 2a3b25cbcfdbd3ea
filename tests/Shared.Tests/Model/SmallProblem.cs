using Distributed.Kernels;
using Distributed.Model;
using Distributed.Random;

namespace Distributed.Shared.Tests.Model;

/// <summary>A small network with weights, biases away from zero, and random samples for it.</summary>
internal sealed class SmallProblem
{
    public SmallProblem(string layers, int features, int classes, int rows)
    {
        Spec = ModelSpec.FromJson($$"""{"layers":[{{layers}}]}""", "test");
        Network = new Network(Spec, new SampleShape(1, 1, features), classes);
        Weights = new float[Network.Layout.Length];
        Network.InitializeWeights(seed: 7, Weights);
        CounterRandom random = new(7, RandomPurpose.Augmentation, 0);
        foreach (Parameter bias in Network.Layout.Parameters.Where(parameter => parameter.Shape.Count == 1))
            Fill(random, Weights.AsSpan(bias.Offset, bias.Length), bias.Offset);
        Inputs = new float[rows * features];
        Fill(random, Inputs, 1_000_000);
        Labels = [.. Enumerable.Range(0, rows).Select(row => (int)random.Below((ulong)(2_000_000 + row), (uint)classes))];
    }

    public ModelSpec Spec { get; }

    public Network Network { get; }

    public float[] Weights { get; }

    public float[] Inputs { get; }

    public int[] Labels { get; }

    /// <summary>Layers of the given sizes, each followed by the function, as a model file has them.</summary>
    public static string Layers(string activation, params int[] sizes) =>
        string.Join(',', sizes.Select(size => $$"""{"type":"dense","units":{{size}}},{"type":"{{activation}}"}"""));

    /// <summary>Sums and gradient of the rows [start, end), in an executor of their own.</summary>
    public (BatchSums Sums, float[] Gradient) Run(int microbatch, ComputeTeam team, int start = 0, int? end = null)
    {
        int stop = end ?? Labels.Length;
        NetworkExecutor executor = new(Network, microbatch, stop - start, team);
        executor.BindWeights(Weights);
        float[] gradient = new float[Network.Layout.Length];
        Array.Fill(gradient, float.NaN); // whatever is there must be overwritten
        BatchSums sums = executor.ForwardBackward(Rows(start, stop), Labels.AsSpan(start, stop - start), Pass.OfStep(seed: 3, step: 1, start), gradient);
        return (sums, gradient);
    }

    public ReadOnlySpan<float> Rows(int start, int end) =>
        Inputs.AsSpan(start * Network.InputLength, (end - start) * Network.InputLength);

    private static void Fill(CounterRandom random, Span<float> values, int firstIndex)
    {
        for (int i = 0; i < values.Length; i++)
            values[i] = (2 * random.Uniform((ulong)(firstIndex + i))) - 1;
    }
}
