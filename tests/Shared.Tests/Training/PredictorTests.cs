using Distributed.Data;
using Distributed.Shared.Tests.Export;
using Distributed.Shared.Tests.Kernels;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

/// <summary>Predictions into memory of the caller's: the same bits, from any thread, and nothing is allocated.</summary>
public sealed class PredictorTests
{
    private const int Samples = 359; // those of the test set

    private static readonly Dataset Digits = Dataset.Open("digits");
    private static readonly TrainedModel Images = Trained(Digits, "cnn");
    private static readonly TrainedModel Numbers = Trained(
        Dataset.FromArrays(Points(200), [.. Points(200).Select(point => new double[] { point[0], 1e6 + point[1] })]),
        "mlp:17"
    );

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(Samples)]
    public void Probabilities_have_the_bits_of_a_prediction(int count)
    {
        float[] raw = [.. Raw(count).Select(value => (float)value)];
        var probabilities = new float[count * 10];
        Images.PredictProbabilities(raw, probabilities);
        Assert.Equal(Outputs.Predictions(Images, Digits.Test, count).SelectMany(prediction => prediction.Probabilities), probabilities);

        Array.Clear(probabilities);
        Images.PredictProbabilities(Raw(count), probabilities);
        Assert.Equal(Outputs.Predictions(Images, Digits.Test, count).SelectMany(prediction => prediction.Probabilities), probabilities);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(2000)]
    public void Numbers_have_the_bits_of_a_prediction(int count)
    {
        var points = Points(count);
        var numbers = new double[2 * count];
        Numbers.PredictNumbers([.. points.SelectMany(point => point)], numbers);
        Assert.Equal(Numbers.PredictAll(points).SelectMany(prediction => prediction.Numbers), numbers);
    }

    [Fact]
    public void Columns_of_words_are_predicted_as_they_are_encoded()
    {
        var rows = Enumerable
            .Range(0, 200)
            .Select(row => new
            {
                Number = row % 7 + 0.5,
                Color = row % 2 == 0 ? "red" : "blue",
                Kind = $"k{row % 2}",
            });
        var dataset = Dataset.FromRows(rows);
        var model = Trained(dataset, "table");
        var sample = DataFloats(dataset);
        var probabilities = new float[2];
        model.PredictProbabilities(sample, probabilities);
        Assert.Equal(model.PredictRows([new { Number = 4.5, Color = "red" }])[0].Probabilities, probabilities);

        static float[] DataFloats(Dataset dataset)
        {
            var values = new float[dataset.Shape.Length];
            dataset.Test.Decode([0], values); // row 4
            return values;
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(Samples)]
    public void A_warmed_prediction_allocates_nothing(int count)
    {
        var bytes = Raw(count);
        float[] floats = [.. bytes.Select(value => (float)value)];
        var probabilities = new float[count * 10];
        float[] points = [.. Points(count).SelectMany(point => point)];
        var numbers = new double[count * 2];
        AllocationAssert.NothingOnceWarm(() =>
        {
            Images.PredictProbabilities(bytes, probabilities);
            Images.PredictProbabilities(floats, probabilities);
            Numbers.PredictNumbers(points, numbers);
        });
    }

    [Fact]
    public async Task Many_threads_at_once_predict_the_same_bits_and_allocate_nothing_once_warm()
    {
        const int threads = 8;
        const int samples = 50;
        var raw = Raw(Samples);
        var expected = new float[Samples * 10];
        Images.PredictProbabilities(raw, expected);
        var length = Digits.Shape.Length;
        using var start = new Barrier(threads);

        var allocated = await Task.WhenAll(
            Enumerable.Range(0, threads).Select(_ => Task.Factory.StartNew(Predict, TaskCreationOptions.LongRunning))
        );

        Assert.All(allocated, attempts => Assert.Contains(0, attempts));

        long[] Predict()
        {
            var probabilities = new float[10];
            var attempts = new long[threads + 1]; // each thread but one may have to make memory once, in any of them
            foreach (ref var attempt in attempts.AsSpan())
            {
                start.SignalAndWait();
                var before = GC.GetAllocatedBytesForCurrentThread();
                for (var sample = 0; sample < samples; sample++)
                {
                    Images.PredictProbabilities(raw.AsSpan(sample * length, length), probabilities);
                    if (!probabilities.AsSpan().SequenceEqual(expected.AsSpan(sample * 10, 10)))
                        throw new InvalidOperationException($"sample {sample} has other bits");
                }

                attempt = GC.GetAllocatedBytesForCurrentThread() - before;
            }

            return attempts;
        }
    }

    [Fact]
    public void No_samples_have_no_predictions() => Images.PredictProbabilities(ReadOnlySpan<float>.Empty, []);

    [Fact]
    public void What_does_not_fit_is_the_callers_mistake()
    {
        Refused<ArgumentException>("63 values", () => Images.PredictProbabilities(new float[63], new float[10]));
        Refused<ArgumentException>("9 results", () => Images.PredictProbabilities(new byte[64], new float[9]));
        Refused<ArgumentException>("3 values", () => Numbers.PredictNumbers(new float[3], new double[2]));
        Refused<InvalidOperationException>("predicts classes", () => Images.PredictNumbers(new float[64], new double[10]));
        Refused<InvalidOperationException>("predicts numbers", () => Numbers.PredictProbabilities(new float[2], new float[2]));
        Refused<InvalidOperationException>("predicts numbers", () => Numbers.PredictProbabilities(new byte[2], new float[2]));
        var columns = Trained(Dataset.FromArrays(Points(200), [.. Points(200).Select(point => point[0] > 5 ? "a" : "b")]), "mlp:3");
        Refused<InvalidOperationException>("not trained on bytes", () => columns.PredictProbabilities(new byte[2], new float[2]));
    }

    private static void Refused<TException>(string reason, Action action)
        where TException : Exception => Assert.Contains(reason, Assert.Throws<TException>(action).Message, StringComparison.Ordinal);

    private static byte[] Raw(int count)
    {
        var raw = new byte[count * Digits.Shape.Length];
        for (var sample = 0; sample < count; sample++)
            Digits.Test.CopyRaw(sample % Digits.Test.Count, raw.AsSpan(sample * Digits.Shape.Length));
        return raw;
    }

    private static float[][] Points(int count) => [.. Enumerable.Range(0, count).Select(i => new[] { i % 11f, i % 131f })];

    private static TrainedModel Trained(Dataset data, string model) =>
        new Trainer(
            data,
            new TrainingOptions
            {
                Model = model,
                Steps = 10,
                EvalEvery = 10,
            }
        )
        {
            Threads = 1,
        }
            .Train()
            .Model;
}
