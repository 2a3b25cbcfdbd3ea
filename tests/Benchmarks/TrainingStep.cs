using System.Globalization;
using Distributed.Collectives;
using Distributed.Model;
using Distributed.Objectives;
using Distributed.Training;

namespace Distributed.Benchmarks;

/// <summary>
/// A training step as a member of a distributed run takes it, alone and without a network; images of 28 x 28 are decoded already.
/// </summary>
internal sealed class TrainingStep : IDisposable
{
    private const int Classes = 10;
    private const int Microbatch = 32;

    private static readonly SampleShape Image = new(1, 28, 28);

    private readonly Replica _replica;
    private readonly ResidentSamples _samples;
    private readonly PrivateMemory _gradients;
    private readonly Training.TrainingStep _step;

    private TrainingStep(ModelSpec model, int batch, int threads)
    {
        var network = new Network(model, Image, Classes);
        var optimizer = new SgdOptions { Momentum = 0.9, LearningRate = 0.01f };
        _replica = new Replica(
            new TrainingSettings(
                network,
                new Classification(Classes),
                Microbatch,
                optimizer,
                new CosineSchedule(),
                TotalSteps: 1_000_000,
                Seed: 1
            ),
            threads
        );
        network.InitializeWeights(seed: 1, _replica.Weights.State.Weights.Span);
        _samples = new ResidentSamples(batch);
        _gradients = new PrivateMemory(network.Layout.Length);
        var plans = new ReductionPlans(Shares.Equal(1), Buckets.Of(network.Layout, owners: 1));
        var exchange = new AllReduce(new ViewIdentity(Run: 0, default, Rank: 0, ["alone"]), plans, _gradients);
        _step = new Training.TrainingStep(_replica, exchange, _gradients, rank: 0);
        MultiplyAdds = Benchmarks.MultiplyAdds.OfStep(network, batch);
    }

    /// <summary>The multiply-adds of the step's products.</summary>
    public double MultiplyAdds { get; }

    /// <summary>Builds a replica of a preset; null, with a line that says why, where there is no such preset.</summary>
    public static TrainingStep? Of(string model, int batch, int threads)
    {
        try
        {
            return new TrainingStep(ModelSpec.Parse(model), batch, threads);
        }
        catch (InputException exception)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{model} is skipped: {exception.Message}"));
            return null;
        }
    }

    /// <summary>Forward, backward, the tree, momentum SGD.</summary>
    public void Run()
    {
        _step.Train(_replica.Weights.State.Step + 1, new MemberBatch(_samples.Count / Microbatch, _samples.Count, _samples));
    }

    public void Dispose()
    {
        _replica.Dispose();
        _gradients.Dispose();
    }

    private sealed class ResidentSamples(int total) : ISampleSource
    {
        private readonly float[] _inputs = [.. Enumerable.Range(0, total * Image.Length).Select(i => i * 7919L % 1009 / 1009f)];
        private readonly int[] _labels = [.. Enumerable.Range(0, total).Select(i => i % Classes)];

        private readonly int[] _indices = [.. Enumerable.Range(0, total)];

        public int Count => total;

        public ReadOnlySpan<int> Indices => _indices;

        public void Decode(int first, int count, Span<float> inputs, Span<int> targets)
        {
            _inputs.AsSpan(first * Image.Length, inputs.Length).CopyTo(inputs);
            _labels.AsSpan(first, count).CopyTo(targets);
        }
    }
}
