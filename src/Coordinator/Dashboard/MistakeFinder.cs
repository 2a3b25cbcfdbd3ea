using Distributed.Data;
using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Objectives;

namespace Distributed.Coordinator.Dashboard;

/// <summary>Looks for the samples of a test set that a state gets wrong with the most confidence. One thread at a time may use it.</summary>
/// <param name="dataset">The data.</param>
/// <param name="network">The model, resolved against the data.</param>
/// <param name="spec">What it is trained for.</param>
internal sealed class MistakeFinder(Dataset dataset, Network network, ObjectiveSpec spec) : IDisposable
{
    /// <summary>Samples that are shown.</summary>
    public const int MostShown = 12;

    /// <summary>Samples that are looked at: spread evenly over the test set, the same ones every time.</summary>
    public const int MostExamined = 1000;

    /// <summary>Rows in a pass: few, so that a search ends soon after it was told to, and what it takes of the caches is small.</summary>
    private const int MostRows = 16;

    private readonly SampleText _text = new(dataset);
    private readonly Objective _objective = Objective.Create(spec with { HasWeights = false });
    private readonly ComputeTeam _team = new(1);
    private NetworkExecutor? _executor;

    /// <summary>Looks for them.</summary>
    /// <param name="step">The step after which the weights are these.</param>
    /// <param name="weights">The flat vector of parameters.</param>
    /// <param name="isOver">Asked before each pass whether there is no time for more; what was found until then counts.</param>
    public Mistakes Find(long step, ReadOnlyMemory<float> weights, Func<bool> isOver)
    {
        var test = dataset.Test;
        var count = Math.Min(test.Count, MostExamined);
        var rows = Math.Min(MostRows, NetworkExecutor.RowsInOnePass(network, microbatch: 1));
        _executor ??= new NetworkExecutor(network, _objective, microbatch: 1, rows, _team);
        _executor.BindWeights(weights);
        var worst = new PriorityQueue<Found, (double Score, int Sample)>();
        var (inputs, outputs) = (new float[rows * network.InputLength], new float[rows * network.OutputWidth]);
        var (examined, wrong) = (0, 0);
        while (examined < count && !isOver())
        {
            int[] samples = [.. Enumerable.Range(examined, Math.Min(rows, count - examined)).Select(place => SampleAt(place, count))];
            test.Decode(samples, inputs.AsSpan(0, samples.Length * network.InputLength));
            _executor.Outputs(
                inputs.AsSpan(0, samples.Length * network.InputLength),
                outputs.AsSpan(0, samples.Length * network.OutputWidth)
            );
            for (var row = 0; row < samples.Length; row++)
            {
                if (Judge(samples[row], outputs.AsSpan(row * network.OutputWidth, network.OutputWidth)) is not { } found)
                    continue;
                wrong++;
                worst.Enqueue(found, (found.Score, -found.Sample)); // of two equal ones the first stays
                if (worst.Count > MostShown)
                    worst.Dequeue();
            }

            examined += samples.Length;
        }

        var shown = worst.UnorderedItems.OrderByDescending(item => item.Priority).Select(item => Describe(item.Element));
        return new Mistakes(step, examined, dataset.Targets is null ? wrong : null, [.. shown]);
    }

    /// <inheritdoc />
    public void Dispose() => _team.Dispose();

    private int SampleAt(int place, int count) => (int)((long)place * dataset.Test.Count / count);

    private Found? Judge(int sample, ReadOnlySpan<float> output)
    {
        var target = dataset.Test.Targets.Slice(sample * dataset.Test.TargetWidth, dataset.Test.TargetWidth);
        if (dataset.Targets is { } targets)
            return JudgeNumbers(sample, output, target, targets);
        var predicted = Classification.FirstMaximum(output);
        if (predicted == target[0])
            return null;
        var probability = _objective.Predict(output, dataset.ClassNames).Probabilities[predicted];
        return new Found(sample, dataset.ClassNames[predicted], dataset.ClassNames[target[0]], probability);
    }

    private Found JudgeNumbers(int sample, ReadOnlySpan<float> output, ReadOnlySpan<int> target, NumericTargets targets)
    {
        var distance = 0.0;
        var actual = new string[targets.Count];
        for (var index = 0; index < targets.Count; index++)
        {
            var value = BitConverter.Int32BitsToSingle(target[index]);
            distance = Math.Max(distance, Math.Abs((double)output[index] - value));
            actual[index] = SampleText.Number(targets.InOwnUnits(value, index), targets.Deviations[index]);
        }

        var predicted = _objective.Predict(output, targets.Names).Numbers.Select(number => SampleText.Number(number));
        return new Found(
            sample,
            string.Join("; ", predicted),
            string.Join("; ", actual),
            double.IsNaN(distance) ? double.MaxValue : distance
        );
    }

    private Mistake Describe(Found found)
    {
        var picture = SamplePicture.Of(dataset, found.Sample);
        return new Mistake(
            found.Sample,
            Printable.Of(found.Predicted),
            Printable.Of(found.Actual),
            found.Score,
            picture?.Address,
            picture?.Width ?? 0,
            picture?.Height ?? 0,
            picture is null ? _text.Values(found.Sample) : []
        );
    }

    private sealed record Found(int Sample, string Predicted, string Actual, double Score);
}
