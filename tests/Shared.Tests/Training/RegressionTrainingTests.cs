using Distributed.Collectives;
using Distributed.Data;
using Distributed.Objectives;
using Distributed.Shared.Tests.Kernels;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

/// <summary>Models that predict numbers, from the data to the prediction.</summary>
public sealed class RegressionTrainingTests
{
    [Theory]
    [InlineData(RegressionLoss.Squared)]
    [InlineData(RegressionLoss.Absolute)]
    [InlineData(RegressionLoss.Huber)]
    public void The_weights_are_the_same_for_any_number_of_threads(RegressionLoss loss)
    {
        var hashes = new[] { 1, 2, 3 }.Select(threads => Train(loss, threads).Model.WeightsSha256);
        Assert.Single(hashes.Distinct());
    }

    [Fact]
    public void Every_loss_trains_weights_of_its_own() =>
        Assert.Equal(3, Enum.GetValues<RegressionLoss>().Select(loss => Train(loss).Model.WeightsSha256).Distinct().Count());

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(20)] // more than microbatches
    public void The_nodes_of_any_number_of_members_make_the_gradient_and_the_sums_of_one(int workers)
    {
        var (gradient, sums) = Reduced(workers: 1);
        var (shared, sharedSums) = Reduced(workers);
        BitAssert.Equal(gradient, shared, "gradient");
        Assert.Equal(sums, sharedSums);
        Assert.True(sums.Floats[1] > 0 && sums.Floats[2] > 0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_warmed_step_allocates_nothing_on_any_thread(int threads)
    {
        var prepared = RunPreparation.Of(NumberRun.Options(RegressionLoss.Huber), NumberRun.Weighted);
        using var replica = new Replica(prepared.Settings, threads);
        replica.Weights.State.Restore(prepared.InitialState());
        var batch = prepared.Configuration.Batches(NumberRun.Weighted.Train.Count).Of(step: 3);
        var plan = new ReductionPlan(batch.MicrobatchCount, workers: 1);
        var samples = new IndexedSamples(NumberRun.Weighted.Train, batch.Indices);
        using var memory = new PrivateMemory(prepared.Network.Layout.Length);
        AllocationAssert.NothingOnceWarm(
            () =>
            {
                replica.ForwardBackward(plan, rank: 0, samples, memory);
                replica.Weights.Update(samples.Count, memory.Node(0).Span);
            },
            replica.Team
        );
    }

    [Fact]
    public void What_was_learnt_is_predicted_in_the_targets_own_units()
    {
        var options = NumberRun.Options() with
        {
            Steps = 600,
            EvalEvery = 600,
            Optimizer = new AdamOptions { LearningRate = 0.01 },
        };
        var result = new Trainer(NumberRun.Data, options).Train();
        Assert.Equal(["rmse", "mae", "r2"], result.Test.Metrics.Select(metric => metric.Name));
        Assert.True(result.Test["r2"] > 0.98, $"r2 {result.Test["r2"]}");
        var predictions = result.Model.PredictAll(NumberRun.Features);
        var errors = predictions
            .Zip(NumberRun.Targets)
            .Where((_, sample) => TestSplit.IsTest(sample))
            .SelectMany(pair => pair.First.Numbers.Zip(pair.Second, (predicted, actual) => predicted - actual))
            .ToList();
        Assert.Equal(Math.Sqrt(errors.Average(error => error * error)), result.Test["rmse"], 1e-4 * result.Test["rmse"]);
        Assert.Equal(errors.Average(Math.Abs), result.Test["mae"], 1e-4 * result.Test["mae"]);
        Assert.All(predictions, prediction => Assert.Empty(prediction.Probabilities));
    }

    [Fact]
    public void A_saved_model_predicts_the_same_and_is_judged_the_same()
    {
        var result = Train(RegressionLoss.Huber);
        var path = Path.Combine(Directory.CreateTempSubdirectory("distributed-model-").FullName, "model.safetensors");
        result.Model.Save(path);
        var loaded = TrainedModel.Load(path);
        Assert.Equal(["price", "share"], loaded.Targets!.Names);
        Assert.Empty(loaded.ClassNames);
        Assert.Equal(result.Model.Predict(NumberRun.Features[3]).Numbers, loaded.Predict(NumberRun.Features[3]).Numbers);
        Assert.Equal(new RegressionSpec(loaded.Targets, RegressionLoss.Huber, 1), loaded.Spec);

        var score = ModelScore.Of(loaded, [NumberRun.Data.Test]);
        Assert.Equal(result.Test.Loss, score.Loss, 1e-6);
        foreach (var metric in result.Test.Metrics)
            Assert.Equal(metric.Value, score[metric.Name], 1e-5 * Math.Abs(metric.Value));
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [Fact]
    public void Parts_that_are_judged_together_are_one_set()
    {
        var model = Train(RegressionLoss.Squared).Model;
        double Rmse(params SampleSet[] sets) => ModelScore.Of(model, sets)["rmse"];
        var (train, test) = (NumberRun.Data.Train, NumberRun.Data.Test);
        var mean = ((Math.Pow(Rmse(train), 2) * train.Count) + (Math.Pow(Rmse(test), 2) * test.Count)) / (train.Count + test.Count);
        Assert.Equal(Math.Sqrt(mean), Rmse(train, test), 1e-5 * Math.Sqrt(mean));
        Assert.True(double.IsNaN(ModelScore.Of(model, [test.Select([4])])["r2"])); // one sample does not vary
    }

    [Fact]
    public void The_loss_is_resolved_into_the_configuration_which_earlier_versions_refuse()
    {
        var squared = RunPreparation.Of(NumberRun.Options() with { Loss = null }, NumberRun.Data).Configuration;
        Assert.Equal((RegressionLoss.Squared, null), (squared.Options.Loss, squared.Options.HuberDelta));
        var huber = RunPreparation.Of(NumberRun.Options(RegressionLoss.Huber), NumberRun.Data).Configuration;
        var json = RunConfigurationJson.Write(huber);
        Assert.Contains("\"task\": \"regression\"", json, StringComparison.Ordinal);
        Assert.Contains("\"loss\": \"huber\",\n  \"huberDelta\": 1,", json, StringComparison.Ordinal);
        Assert.Equal(huber, RunConfigurationJson.Read(json, "config.json"));
        Assert.NotEqual(RunConfigurationJson.Hash(squared), RunConfigurationJson.Hash(huber));
        Assert.Contains(
            "loss: the run has \"squared\", this command says \"huber\"; it cannot change when a run is resumed",
            ResumeRule.Errors(squared, huber)
        );
    }

    [Fact]
    public void A_file_that_says_nothing_of_the_task_is_of_classes()
    {
        var configuration = TinyRun.Configuration();
        Assert.Equal(LearningTask.Classification, configuration.Options.Data.Task);
        var json = RunConfigurationJson.Write(configuration);
        Assert.DoesNotContain("task", json, StringComparison.Ordinal);
        Assert.DoesNotContain("loss\"", json, StringComparison.Ordinal);
        Assert.Equal(LearningTask.Classification, RunConfigurationJson.Read(json, "config.json").Options.Data.Task);
    }

    [Fact]
    public void What_belongs_to_the_other_task_is_refused_once_the_data_is_known()
    {
        Assert.Equal(
            "TrainingOptions.LabelSmoothing 0.1: belongs to classes, and this data has numbers; leave it out, or say TrainingOptions.Data.Task classification",
            Refusal(NumberRun.Data, NumberRun.Options() with { LabelSmoothing = 0.1 })
        );
        Assert.Equal(
            "TrainingOptions.Loss huber: belongs to numbers, and this data has classes; leave it out, or say TrainingOptions.Data.Task regression",
            Refusal(TinyRun.Data, NumberRun.Options(RegressionLoss.Huber))
        );
        Assert.Equal(
            "TrainingOptions.HuberDelta 2: belongs to TrainingOptions.Loss huber; say that too, or leave it out",
            Refusal(NumberRun.Data, NumberRun.Options() with { HuberDelta = 2 })
        );
    }

    private static string Refusal(Dataset dataset, TrainingOptions options) =>
        Assert.Throws<InvalidOptionsException>(() => new Trainer(dataset, options).Train()).Message;

    private static TrainingResult Train(RegressionLoss loss, int threads = 1) =>
        new Trainer(NumberRun.Data, NumberRun.Options(loss)) { Threads = threads }.Train();

    private static (float[] Gradient, BatchSums Sums) Reduced(int workers)
    {
        var prepared = RunPreparation.Of(NumberRun.Options(RegressionLoss.Huber), NumberRun.Data);
        var batch = prepared.Configuration.Batches(NumberRun.Data.Train.Count).Of(step: 3);
        var plan = new ReductionPlan(batch.MicrobatchCount, workers);
        var gradients = new List<float[]>();
        var sums = new List<BatchSums>();
        for (var rank = 0; rank < workers; rank++)
        {
            using var replica = new Replica(prepared.Settings, threads: 1);
            using var memory = new PrivateMemory(prepared.Network.Layout.Length);
            replica.Weights.State.Restore(prepared.InitialState());
            var (start, end) = plan.RangeOf(rank);
            replica.ForwardBackward(plan, rank, new IndexedSamples(NumberRun.Data.Train, batch.Indices[batch.Rows(start, end)]), memory);
            gradients.AddRange(Enumerable.Range(0, plan.PlacesOf(rank).Count).Select(place => memory.Node(place).ToArray()));
            sums.AddRange(replica.Sums.Select(node => node.Sums));
        }

        foreach (var (left, right) in plan.Merges)
        {
            gradients[left] = [.. gradients[left].Zip(gradients[right], (a, b) => a + b)];
            sums[left] = BatchSums.Merge(sums[left], sums[right]);
        }

        return (gradients[0], sums[0]);
    }
}
