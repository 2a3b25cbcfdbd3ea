using Distributed.Data;
using Distributed.Objectives;
using Distributed.Protocol;
using Distributed.Training;
using Distributed.Worker.Sessions;
using Xunit;

namespace Distributed.Worker.Tests.Sessions;

/// <summary>What a worker makes of the coordinator's welcome.</summary>
public sealed class RunContextTests
{
    private static readonly float[][] Features = [.. Enumerable.Range(0, 20).Select(i => new[] { i * 0.5f, i % 3 })];

    [Fact]
    public void Numbers_to_predict_come_with_what_was_measured_of_them()
    {
        var dataset = Dataset.FromArrays(Features, [.. Enumerable.Range(0, 20).Select(i => new double[] { i, 2 * i, 3 })]);
        var objective = Read(dataset, objectiveJson: null).Settings.Objective;
        Assert.IsType<Regression>(objective);
        Assert.Equal((3, 3), (objective.OutputWidth, objective.TargetWidth));
        Assert.Equal(dataset.Targets!.Means, objective.Predict([0, 0, 0], []).Numbers);
    }

    // Coordinators of the same protocol version that know no other objective do not tell it.
    [Fact]
    public void Without_an_objective_the_run_is_one_of_classes()
    {
        var dataset = Dataset.FromArrays(Features, [.. Enumerable.Range(0, 20).Select(i => i % 4)]);
        var objective = Read(dataset, objectiveJson: "").Settings.Objective;
        Assert.IsType<Classification>(objective);
        Assert.Equal(4, objective.OutputWidth);
    }

    [Fact]
    public void An_objective_that_this_version_does_not_know_is_refused()
    {
        var dataset = Dataset.FromArrays(Features, [.. Enumerable.Range(0, 20).Select(i => i % 4)]);
        Assert.StartsWith(
            "the coordinator's settings: the objective '{\"kind\":\"ranking\"}' is not valid (",
            Assert.Throws<InputException>(() => Read(dataset, "{\"kind\":\"ranking\"}")).Message,
            StringComparison.Ordinal
        );
    }

    private static RunContext Read(Dataset dataset, string? objectiveJson)
    {
        var prepared = RunPreparation.Of(new TrainingOptions { Model = "mlp:3", Steps = 3 }, dataset);
        var settings = new RunSettings
        {
            ConfigurationJson = RunConfigurationJson.Write(prepared.Configuration),
            Shape = new InputShape
            {
                Channels = 1,
                Height = 1,
                Width = 2,
            },
            Outputs = dataset.OutputWidth,
            PreprocessingJson = dataset.Preprocessing.ToJson(),
            Dataset = "elsewhere",
            ObjectiveJson = objectiveJson ?? prepared.Configuration.Options.ObjectiveOf(dataset).ToJson(),
        };
        return RunContext.Of(new CoordinatorMessage { Welcome = new Welcome { Settings = settings } }, new DataOptions());
    }
}
